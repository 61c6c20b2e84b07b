using System.CommandLine;
using System.CommandLine.Help;
using VaeFunctions.Bench;
using VaeFunctions.LocalCloud;

// The benchmarks: ratios against what is installed to compare with, measured in turn in one run.
var bench = new Command("bench", "Measures this project against what is installed to compare with.")
{
    TrainBench.Create(),
    OpsBench.Create(),
    DataBench.Create(),
    ServeBench.Create(),
    HealBench.Create(),
    Worker.Create(),
};
var root = new Command("./vae") { new HelpOption(), bench };
try
{
    string[] words = ["bench", .. args is [] ? ["--help"] : args];
    return await root.Parse(words).InvokeAsync(new() { EnableDefaultExceptionHandler = false });
}
catch (LocalCloudException fault)
{
    Console.Error.WriteLine($"vae: {fault.Message}");
    return fault.ExitCode;
}
