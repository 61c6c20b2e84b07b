using System.CommandLine;
using VaeFunctions.Bench;

// The benchmarks: ratios against what is installed to compare with, measured in turn in one run.
var root = new RootCommand("Measures this project against what is installed to compare with. ./vae bench runs it.")
{
    TrainBench.Create(),
    OpsBench.Create(),
    DataBench.Create(),
    Worker.Create(),
};
return await root.Parse(args).InvokeAsync();
