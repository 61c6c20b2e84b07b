using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Parquet.Serialization;
using Parquet.Serialization.Attributes;
using VaeFunctions.Registry;

namespace VaeFunctions.Bench.Faults;

/// <summary>A bulk job over images of which some are broken: each good one has one result, each broken one a line among the
/// failures, and the job ends.</summary>
abstract class BulkJob(Cloud cloud, string model, int round, string format) : IWork
{
    protected const int Images = 60;

    protected IBlobStore Store => cloud.Store;

    protected string Input => $"{Cloud.Pictures}/{format}/{round:0000}/";

    protected string Output => $"results/{format}/{round:0000}/";

    string Jobs => $"models/{model}/jobs";

    /// <summary>The broken images' paths.</summary>
    protected abstract IEnumerable<string> Broken { get; }

    protected abstract string Operation { get; }

    protected static bool IsBroken(int i) => i % 12 == 5;

    protected Picture PictureOf(int i) => Picture.Of(1000 * round + 500 + i);

    protected byte[] ContentOf(int i) => IsBroken(i) ? [1, 2, 3] : PictureOf(i).Png();

    protected abstract Task UploadAsync(CancellationToken cancellation);

    /// <summary>What is wrong with the results, and which are missing.</summary>
    protected abstract Task<IReadOnlyList<string>> WrongAsync(IReadOnlyList<string> found, IReadOnlyList<string> jobs,
        CancellationToken cancellation);

    public async Task RunAsync(CancellationToken cancellation)
    {
        await UploadAsync(cancellation);
        await Stubborn.DoAsync(async () =>
        {
            // The answer to an earlier try may have been lost on its way.
            if ((await OwnAsync(cancellation)).Count > 0)
                return;
            using var answer = await cloud.Http.PostAsJsonAsync(
                Jobs, new { operation = Operation, input = Input, output = Output, format }, cancellation);
            if (answer.StatusCode != HttpStatusCode.Accepted)
                throw new HttpRequestException(await answer.Content.ReadAsStringAsync(cancellation));
        }, cancellation);
    }

    public async Task<IReadOnlyList<string>> LackingAsync(CancellationToken cancellation)
    {
        var jobs = await OwnAsync(cancellation);
        if (jobs is [])
            return [$"there is no job for {Output}"];
        foreach (var job in jobs)
        {
            var (state, done, failed) = ((string)job["state"]!, (int)job["done"]!, (int)job["failed"]!);
            if (state != "completed" || failed != Broken.Count() || done != Images - failed)
                return [$"job {job["id"]} to {format} is {state} with {done} done and {failed} failed of {job["images"]}, "
                    + $"not completed with {Images - Broken.Count()} and {Broken.Count()}"];
        }
        var found = await Store.ListAsync(Output, cancellation).Select(blob => blob.Path[Output.Length..])
            .Where(name => name != "failures.jsonl").ToListAsync(cancellation);
        var failures = await Store.TryReadAsync($"{Output}failures.jsonl", 1 << 20, cancellation);
        var named = (failures?.Content.ToString() ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => (string)JsonNode.Parse(line)!["path"]!).Order(StringComparer.Ordinal);
        if (!named.SequenceEqual(Broken.Order(StringComparer.Ordinal)))
            return [$"{Output}failures.jsonl names {string.Join(", ", named)}, not {string.Join(", ", Broken)}"];
        return await WrongAsync(found, [.. jobs.Select(job => (string)job["id"]!)], cancellation);
    }

    public async Task ClearAsync(CancellationToken cancellation)
    {
        foreach (var prefix in (string[])[Input, Output, $"jobs/{model}/"])
            await Store.ClearAsync(prefix, cancellation);
    }

    /// <summary>The jobs that write to this output: one, or more where an answer was lost.</summary>
    async Task<IReadOnlyList<JsonNode>> OwnAsync(CancellationToken cancellation)
    {
        var jobs = await cloud.Http.GetFromJsonAsync<JsonNode>(Jobs, cancellation);
        return [.. jobs!["jobs"]!.AsArray().Select(job => job!).Where(job => (string)job["output"]! == Output)];
    }
}

/// <summary>Loose images, and files for each.</summary>
sealed class FilesJob(Cloud cloud, string model, int round) : BulkJob(cloud, model, round, "files")
{
    protected override string Operation => "reconstruct";

    protected override IEnumerable<string> Broken =>
        Enumerable.Range(0, Images).Where(IsBroken).Select(i => $"{Input}{i:00}.png");

    protected override Task UploadAsync(CancellationToken cancellation) =>
        Parallel.ForEachAsync(Enumerable.Range(0, Images),
            new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = cancellation },
            async (i, _) => await Stubborn.DoAsync(
                () => Store.WriteAsync($"{Input}{i:00}.png", new(ContentOf(i)), cancellation: cancellation), cancellation));

    protected override async Task<IReadOnlyList<string>> WrongAsync(
        IReadOnlyList<string> found, IReadOnlyList<string> jobs, CancellationToken cancellation)
    {
        int[] good = [.. Enumerable.Range(0, Images).Where(i => !IsBroken(i))];
        var expected = good.SelectMany(i => new[] { $"{i:00}.png.json", $"{i:00}.png.png" });
        if (!found.SequenceEqual(expected))
        {
            var odd = found.Union(expected).Except(found.Intersect(expected));
            return [$"{Output} has too many or too few: {string.Join(", ", odd)}"];
        }
        foreach (var i in good)
        {
            var result = JsonNode.Parse((await Store.TryReadAsync($"{Output}{i:00}.png.json", 1 << 20, cancellation))!.Content)!;
            var png = (await Store.TryReadAsync($"{Output}{i:00}.png.png", 1 << 20, cancellation))!.Content.ToArray();
            if (!jobs.Contains((string)result["job"]!) || (string)result["source"]! != $"{Input}{i:00}.png"
                || !PictureOf(i).IsLatent([.. result["latent"]!.AsArray().Select(number => (float)number!)])
                || !PictureOf(i).IsDecoded(png, (string)result["version"]!))
                return [$"{Output}{i:00}.png is not the result of {PictureOf(i)}: {result.ToJsonString()}"];
        }
        return [];
    }
}

/// <summary>Images in a TAR and a ZIP, and Parquet files for all.</summary>
sealed class ColumnsJob(Cloud cloud, string model, int round) : BulkJob(cloud, model, round, "parquet")
{
    protected override string Operation => "encode";

    protected override IEnumerable<string> Broken => Enumerable.Range(0, Images).Where(IsBroken).Select(i => Input + NameOf(i));

    static string NameOf(int i) => $"{(i < Images / 2 ? "one.tar" : "two.zip")}/{i:00}.png";

    protected override async Task UploadAsync(CancellationToken cancellation)
    {
        MemoryStream tarred = new(), zipped = new();
        using (var tar = new TarWriter(tarred, leaveOpen: true))
        {
            for (var i = 0; i < Images / 2; i++)
            {
                var content = new MemoryStream(ContentOf(i));
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, $"{i:00}.png") { DataStream = content });
            }
        }
        using (var zip = new ZipArchive(zipped, ZipArchiveMode.Create, leaveOpen: true))
        {
            for (var i = Images / 2; i < Images; i++)
            {
                using var entry = zip.CreateEntry($"{i:00}.png").Open();
                entry.Write(ContentOf(i));
            }
        }
        await Stubborn.DoAsync(
            () => Store.WriteAsync($"{Input}one.tar", new(tarred.ToArray()), cancellation: cancellation), cancellation);
        await Stubborn.DoAsync(
            () => Store.WriteAsync($"{Input}two.zip", new(zipped.ToArray()), cancellation: cancellation), cancellation);
    }

    protected override async Task<IReadOnlyList<string>> WrongAsync(
        IReadOnlyList<string> found, IReadOnlyList<string> jobs, CancellationToken cancellation)
    {
        var rows = new List<Row>();
        foreach (var name in found)
        {
            if (!name.EndsWith(".parquet", StringComparison.Ordinal))
                return [$"{Output}{name} is no Parquet file"];
            var content = (await Store.TryReadAsync(Output + name, 1 << 24, cancellation))!.Content;
            var file = await ParquetSerializer.DeserializeAsync<Row>(content.ToStream(), cancellationToken: cancellation);
            rows.AddRange(file.Data);
        }
        int[] good = [.. Enumerable.Range(0, Images).Where(i => !IsBroken(i))];
        rows.Sort((one, other) => string.CompareOrdinal(one.Name, other.Name));
        if (!rows.Select(row => row.Name).SequenceEqual(good.Select(NameOf)))
            return [$"the rows of {Output} are of {string.Join(", ", rows.Select(row => row.Name))}"];
        return [.. good.Zip(rows, (i, row) => (Picture: PictureOf(i), Row: row))
            .Where(pair => !pair.Picture.IsLatent(pair.Row.Latent)).Select(pair =>
                $"{Output}: {pair.Row.Name} has the latent {string.Join(", ", pair.Row.Latent)}, not that of {pair.Picture}")];
    }

    sealed class Row
    {
        [JsonPropertyName("name"), ParquetRequired]
        public string Name { get; set; } = "";

        [JsonPropertyName("latent")]
        public List<float> Latent { get; set; } = [];
    }
}
