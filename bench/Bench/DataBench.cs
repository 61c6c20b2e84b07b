using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using VaeFunctions.Data;

namespace VaeFunctions.Bench;

/// <summary><c>bench data</c>: how fast a source is read, decoding included.</summary>
static class DataBench
{
    public static Command Create()
    {
        Option<string> data = new("--data") { Description = $"Where the images come from: {DataSources.Kinds}", Required = true };
        var command = new Command("data", "Images read and decoded per second") { data };
        command.SetAction((parsed, cancellation) => RunAsync(parsed.GetRequiredValue(data), cancellation));
        return command;
    }

    static async Task RunAsync(string source, CancellationToken cancellation)
    {
        Console.WriteLine($"{Machine.Description}\n");
        for (var round = 1; round <= 3; round++)
        {
            var watch = Stopwatch.StartNew();
            var data = await DataSources.LoadAsync(source, new(), cancellation);
            var images = data.Train.Count + data.Test.Count;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"round {round}: {images:N0} images {data.Train.Shape} in {watch.Elapsed.TotalSeconds:F2} s, "
                    + $"{images / watch.Elapsed.TotalSeconds:N0} images/s"));
        }
    }
}
