using System.CommandLine;
using System.Globalization;
using VaeFunctions.Commands;

namespace VaeFunctions.LocalCloud.Costs;

/// <summary><c>cost</c>: what a number of images costs on Azure, for each way they can take.</summary>
static class CostCommand
{
    const long Most = 1_000_000_000_000;

    public static Command Create()
    {
        var images = CommonOptions.Checked("--images", 1_000_000L, "how many images", number => number is >= 1 and <= Most,
            $"from 1 to {Most}");
        var operation = new Option<string?>("--operation") { Description = "only this operation" };
        operation.AcceptOnlyFromAmong([.. WayIn.All.Select(way => way.Operation).Distinct()]);
        var format = new Option<string?>("--format") { Description = "only jobs that write so, and the inbox for files" };
        format.AcceptOnlyFromAmong([.. WayIn.All.Select(way => way.Format).Distinct()]);
        var gpu = new Option<string>("--gpu")
        {
            Description = "what the replicas have beside processors",
            DefaultValueFactory = _ => Replica.All[0].Gpu,
        };
        gpu.AcceptOnlyFromAmong([.. Replica.All.Select(replica => replica.Gpu)]);
        var rate = CommonOptions.Checked<double?>("--rate", null,
            "images a second of a replica, measured of your model; else those of a small one",
            number => number is null or > 0 and < double.PositiveInfinity, "above 0, and finite");
        var command = new Command("cost",
            "What a number of images costs on Azure: storage operations, events and the replicas' time, by list prices.")
        {
            images, operation, format, gpu, rate,
        };
        command.SetAction(parsed => Write(Console.Out, parsed.GetValue(images),
            [.. WayIn.All.Where(way => (parsed.GetValue(operation) ?? way.Operation) == way.Operation
                && (parsed.GetValue(format) ?? way.Format) == way.Format)],
            Replica.All.First(replica => replica.Gpu == parsed.GetValue(gpu)), parsed.GetValue(rate)));
        return command;
    }

    static int Write(TextWriter output, long images, IReadOnlyList<WayIn> ways, Replica replica, double? rate)
    {
        if (ways is [])
        {
            throw LocalCloudException.WrongInput(
                "No way has both this operation and this format: parquet holds latents, tar pictures.");
        }
        output.WriteLine($"{Plural.Of(images, "image")} on replicas of {replica.Name}, in {Prices.Currency} by list prices of "
            + $"{Prices.Region} as of {Days()};\nwithout free grants, discounts, taxes, traffic, what is stored, and the seconds in "
            + "which replicas start and wait.\n");
        output.WriteLine("| way | operation | format | operations an image | operations | storage | events | images/s | hours "
            + "| compute | total |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (var way in ways)
        {
            var operations = way.Of(images);
            var seconds = images / (rate ?? way.Rate);
            decimal storage = operations.Cost, events = Prices.Event.Of((decimal)(way.Events * images));
            var compute = seconds is { } known ? replica.Of(known) : (decimal?)null;
            output.WriteLine($"| {way.Name} | {way.Operation} | {way.Format} | {operations.Total / images:0.####} | "
                + $"{operations.Total:N0} | {storage:N2} | {events:N2} | "
                + $"{Known(rate ?? way.Rate, "0.#")} | {Known(seconds / 3600, "N1")} | "
                + $"{Known(compute, "N2")} | {Known(storage + events + compute, "N2")} |");
        }
        var hasGpu = replica.GpuSecond is not null;
        var isOpen = rate is null && ways.Any(way => way.Rate is null);
        output.WriteLine($"\nAn hour is {(hasGpu ? "a GPU-hour, " : "")}{3600 * replica.VCpus:N0} vCPU-seconds and "
            + $"{3600 * replica.GiB:N0} GiB-seconds; more replicas take fewer hours each and cost the same."
            + (hasGpu ? " A GPU makes the model faster, not the storage; the rates are those of processors." : "")
            + (isOpen ? " Where no rate is known, --rate gives the time and the total." : ""));
        output.WriteLine("\n| price | for | looked up | at |\n| --- | --- | --- | --- |");
        foreach (var price in Prices.All)
            output.WriteLine($"| {price.Amount} | {price.Units:N0} {price.Meter} | {price.Found:yyyy-MM-dd} | {price.Source} |");
        return 0;
    }

    static string Known<T>(T? figure, string format) where T : struct, IFormattable =>
        figure?.ToString(format, CultureInfo.InvariantCulture) ?? "–";

    static string Days() =>
        string.Join(" and ", Prices.All.Select(price => price.Found).Distinct().Order().Select(day => $"{day:yyyy-MM-dd}"));
}
