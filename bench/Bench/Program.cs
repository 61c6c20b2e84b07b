using System.CommandLine;
using VaeFunctions.Bench;
using VaeFunctions.LocalCloud;

// The benchmarks: ratios against what is installed to compare with, measured in turn in one run.
var root = new RootCommand("Measures this project against what is installed to compare with. ./vae bench runs it.")
{
    TrainBench.Create(),
    OpsBench.Create(),
    DataBench.Create(),
    ServeBench.Create(),
    HealBench.Create(),
    Worker.Create(),
};
try
{
    return await root.Parse(args).InvokeAsync(new() { EnableDefaultExceptionHandler = false });
}
catch (LocalCloudException fault)
{
    Console.Error.WriteLine($"vae: {fault.Message}");
    return fault.ExitCode;
}
