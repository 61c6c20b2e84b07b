using System.CommandLine;
using System.CommandLine.Help;
using VaeFunctions.Bench;
using VaeFunctions.Bench.Bulk;
using VaeFunctions.Bench.Faults;
using VaeFunctions.Bench.Scale;
using VaeFunctions.LocalCloud;

// The benchmarks: ratios against what is installed to compare with, measured in turn in one run.
var bench = new Command("bench", "Measures this project against what is installed to compare with.")
{
    TrainBench.Create(),
    OpsBench.Create(),
    DataBench.Create(),
    ServeBench.Create(),
    BulkBench.Create(),
    HealBench.Create(),
    FaultsBench.Create(),
    HostCommand.Create(),
    ScaleBench.Create(),
    Worker.Create(),
};
var root = new Command("./vae") { new HelpOption(), bench };
try
{
    // Whoever is interrupted ends what it started first.
    var configuration = new InvocationConfiguration
    {
        EnableDefaultExceptionHandler = false,
        ProcessTerminationTimeout = TimeSpan.FromMinutes(1),
    };
    string[] words = ["bench", .. args is [] ? ["--help"] : args];
    return await root.Parse(words).InvokeAsync(configuration);
}
catch (LocalCloudException fault)
{
    Console.Error.WriteLine($"vae: {fault.Message}");
    return fault.ExitCode;
}
