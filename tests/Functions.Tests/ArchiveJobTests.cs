using System.Formats.Tar;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Parquet.Serialization;
using Parquet.Serialization.Attributes;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests;

/// <summary>Bulk jobs out of archives, and into one blob a slice.</summary>
[Collection(Serving.Name)]
public sealed class ArchiveJobTests(ServingFixture serving)
{
    const string Jobs = $"models/{ServingFixture.Model}/jobs";

    readonly IBlobStore store = serving.Registry.Store;

    /// <summary>An image whose bands are of this grey, so that each of its four latents is that, minus ½.</summary>
    static byte[] Grey(int grey) => Pictures.Bands((byte)grey, (byte)grey, (byte)grey, (byte)grey);

    async Task<JsonNode> RunAsync(string input, string output, string operation = "encode", string format = "files")
    {
        var body = JsonSerializer.Serialize(new { operation, input, output, format }).Json();
        using var started = await serving.Http.SendAsync(HttpMethod.Post, Jobs, body);
        Assert.True((int)started.StatusCode == 202, await started.Content.ReadAsStringAsync());
        JsonNode status = null!;
        await Eventually.Async(async () =>
        {
            status = await serving.Http.SendAsync(HttpMethod.Get, started.Headers.Location!.ToString()).JsonAsync();
            Assert.Contains((string)status["state"]!, (string[])["completed", "failed"]);
        }, 90);
        Assert.True((string)status["state"]! == "completed", status.ToJsonString() + serving.Log);
        return status;
    }

    async Task<Dictionary<string, string>> FailuresAsync(string output) =>
        (await store.TryReadAsync($"{output}failures.jsonl", 1 << 20))!.Content.ToString()
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonNode.Parse(line)!).ToDictionary(line => (string)line["path"]!, line => (string)line["reason"]!);

    [SkippableFact]
    public async Task Archives_of_a_prefix_are_read_entry_by_entry_beside_loose_images()
    {
        await store.WriteAsync("results/archives/a/one.tar", new(
            Archives.Tar(("./cat/1.png", Grey(10)), ("cat/2.png", Grey(20)))));
        await store.WriteAsync("results/archives/a/two.zip", new(
            Archives.Zip(("dog/3.png", Grey(30)), ("dog/", []), ("4.png", Grey(40)))));
        await store.WriteAsync("results/archives/a/three.png", new(Grey(50)));
        var status = await RunAsync("results/archives/a/", "results/archived/a/", "reconstruct");
        Assert.Equal(("completed", 5, 0), ((string)status["state"]!, (int)status["done"]!, (int)status["failed"]!));
        string[] names = ["one.tar/cat/1.png", "one.tar/cat/2.png", "three.png", "two.zip/4.png", "two.zip/dog/3.png"];
        var expected = names.SelectMany(name => new[] { $"{name}.json", $"{name}.png" }).Append("failures.jsonl");
        Assert.Equal(expected.Order(StringComparer.Ordinal),
            await store.ListAsync("results/archived/a/").Select(blob => blob.Path["results/archived/a/".Length..]).ToListAsync());
        foreach (var (name, grey) in names.Zip([10, 20, 50, 40, 30]))
        {
            var png = (await store.TryReadAsync($"results/archived/a/{name}.png", 1 << 20))!.Content;
            Assert.All(ImageCodec.Decode(png.ToMemory().Span).Pixels, pixel => Assert.Equal(grey, pixel));
        }
    }

    [SkippableFact]
    public async Task What_is_wrong_in_an_archive_is_named_and_the_rest_is_done()
    {
        var inner = Archives.Zip(("x.png", Grey(1)));
        var lying = Archives.Zip(("lying.png", Grey(2)));
        lying[lying.AsSpan().LastIndexOf("PK\x01\x02"u8) + 24] -= 1; // the unpacked length in the list
        await store.WriteAsync("results/hostile/a.tar", new(Archives.Tar(
            ("good.png", Grey(7)), ("good.png", Grey(8)), ("../out.png", Grey(9)), ("/etc/out.png", Grey(9)),
            ("back\\slash.png", Grey(9)), ("inner.zip", inner), ("large.png", new byte[1_000_001]),
            ("broken.png", Grey(9)[..30]), ("__MACOSX/._good.png", [1]))));
        await store.WriteAsync("results/hostile/b.zip", new(lying));
        await store.WriteAsync("results/hostile/c.tar.gz", new("x"));
        await store.WriteAsync("results/hostile/d.zip", new("no archive at all"));
        await store.WriteAsync("results/hostile/e.tar", new(Archives.Tar(("whole.png", Grey(6)), ("cut.png", Grey(5)))[..2800]));
        var status = await RunAsync("results/hostile/", "results/mended/");
        var failures = await FailuresAsync("results/mended/");
        Assert.Equal("completed", (string)status["state"]!);
        Assert.Equal(
        [
            "results/mended/a.tar/good.png.json", "results/mended/e.tar/whole.png.json", "results/mended/failures.jsonl",
        ], await store.ListAsync("results/mended/").Select(blob => blob.Path).ToListAsync());
        Assert.Contains("same name", failures["results/hostile/a.tar/good.png (again)"], StringComparison.Ordinal);
        Assert.Contains("..", failures["results/hostile/a.tar/../out.png"], StringComparison.Ordinal);
        Assert.Contains("cannot be kept", failures["results/hostile/a.tar//etc/out.png"], StringComparison.Ordinal);
        Assert.Contains("backslash", failures["results/hostile/a.tar/back\\slash.png"], StringComparison.Ordinal);
        Assert.Contains("archive in an archive", failures["results/hostile/a.tar/inner.zip"], StringComparison.Ordinal);
        Assert.Contains("1000001 bytes", failures["results/hostile/a.tar/large.png"], StringComparison.Ordinal);
        Assert.Contains("PNG", failures["results/hostile/a.tar/broken.png"], StringComparison.Ordinal);
        Assert.Contains("longer", failures["results/hostile/b.zip/lying.png"], StringComparison.Ordinal);
        Assert.Contains(".tar", failures["results/hostile/c.tar.gz"], StringComparison.Ordinal);
        Assert.Contains("damaged", failures["results/hostile/d.zip"], StringComparison.Ordinal);
        Assert.Contains("damaged", failures["results/hostile/e.tar"], StringComparison.Ordinal);
    }

    sealed class Row
    {
        [JsonPropertyName("name"), ParquetRequired]
        public string Name { get; set; } = "";

        [JsonPropertyName("version"), ParquetRequired]
        public string Version { get; set; } = "";

        [JsonPropertyName("verdict"), ParquetRequired]
        public string Verdict { get; set; } = "";

        [JsonPropertyName("strangest")]
        public string? Strangest { get; set; }

        [JsonPropertyName("latent")]
        public List<float> Latent { get; set; } = [];

        [JsonPropertyName("log_variance")]
        public List<float> LogVariance { get; set; } = [];
    }

    [SkippableFact]
    public async Task Latents_come_as_columns_of_one_Parquet_file_a_slice()
    {
        var entries = Enumerable.Range(0, 50).Select(i => ($"{i:00}.png", Grey(i))).Append(("broken.png", new byte[9])).ToArray();
        await store.WriteAsync("results/columns/in.tar", new(Archives.Tar(entries)));
        var status = await RunAsync("results/columns/in.tar", "results/columned/", format: "parquet");
        Assert.Equal((50, 1, "parquet"), ((int)status["done"]!, (int)status["failed"]!, (string)status["format"]!));
        Assert.Equal(["results/columned/000000.parquet", "results/columned/failures.jsonl"],
            await store.ListAsync("results/columned/").Select(blob => blob.Path).ToListAsync());

        var content = (await store.TryReadAsync("results/columned/000000.parquet", 1 << 20))!.Content;
        var rows = (await ParquetSerializer.DeserializeAsync<Row>(content.ToStream())).Data;
        Assert.Equal(entries.Take(50).Select(entry => $"in.tar/{entry.Item1}"), rows.Select(row => row.Name));
        Assert.All(rows, row => Assert.Equal(("v1", "ordinary", null), (row.Version, row.Verdict, row.Strangest)));
        Assert.Equal(Enumerable.Range(0, 50).SelectMany(i => Enumerable.Repeat(i / 255f - 0.5f, 4)),
            rows.SelectMany(row => row.Latent), Near);
        Assert.Equal(Enumerable.Repeat(-2f, 200), rows.SelectMany(row => row.LogVariance), Near);

        static bool Near(float a, float b) => MathF.Abs(a - b) < 1e-5f;
    }

    [SkippableFact]
    public async Task Pictures_come_as_a_TAR_a_slice_that_can_be_the_next_jobs_input()
    {
        await store.WriteAsync("results/shards/in.zip", new(Archives.Zip(("a.png", Grey(11)), ("b.png", Grey(12)))));
        await RunAsync("results/shards/in.zip", "results/sharded/", "reconstruct", "tar");
        using var tar = new TarReader((await store.TryReadAsync("results/sharded/000000.tar", 1 << 20))!.Content.ToStream());
        var names = new List<string>();
        while (tar.GetNextEntry() is { } entry)
        {
            names.Add(entry.Name);
            if (entry.Name.EndsWith("b.png.png", StringComparison.Ordinal))
            {
                var png = new byte[entry.Length];
                entry.DataStream!.ReadExactly(png);
                Assert.All(ImageCodec.Decode(png).Pixels, pixel => Assert.Equal(12, pixel));
            }
        }
        Assert.Equal(["in.zip/a.png.png", "in.zip/a.png.json", "in.zip/b.png.png", "in.zip/b.png.json"], names);
    }
}
