using System.Formats.Tar;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using VaeFunctions.Registry;
using VaeFunctions.Serving;
using Xunit.Abstractions;

namespace VaeFunctions.Tests;

/// <summary>How many storage operations an image costs on each path, host and worker together: they bound bulk work, and are its
/// bill.</summary>
public sealed class OperationTests(OperationTests.CountedApp app, ITestOutputHelper output)
    : IClassFixture<OperationTests.CountedApp>
{
    /// <summary>Slices of the job from TARs: as many as 20,000 images have. VAE_JOB_IMAGES asks for so many images, in slices no
    /// larger than the functions'.</summary>
    const int Slices = 8;

    static readonly int Many =
        int.Parse(Environment.GetEnvironmentVariable("VAE_JOB_IMAGES") ?? "600", CultureInfo.InvariantCulture);

    /// <summary>A model and the program that serves it, on a storage whose operations are counted.</summary>
    public sealed class CountedApp : IAsyncLifetime
    {
        readonly AzuriteFixture azurite = new();
        FunctionsApp? app;

        public HttpClient Http => app!.Http;

        /// <summary>The storage itself, past the counter.</summary>
        internal AzureBlobStore Store { get; private set; } = null!;

        internal OperationCount Count { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            await azurite.InitializeAsync();
            Store = new AzureBlobStore(new(azurite.ConnectionString));
            Count = new(azurite.ConnectionString);
            await TinyModel.ServeAsync(new ModelRegistry(Store), "tiny", "v1");
            await Store.WriteAsync("results/before.json", new("{}")); // creating the container would count
            app = await FunctionsApp.StartAsync(Count.ConnectionString,
                ("Serving__JobShardSize", $"{Math.Min(Many / Slices, new ServingOptions().JobShardSize)}"),
                ("Serving__BlobContainers", "pictures"));
            await app.ReadyAsync();
        }

        public async Task DisposeAsync()
        {
            if (app is not null)
                await app.DisposeAsync();
            Count?.Dispose();
            await azurite.DisposeAsync();
        }
    }

    /// <summary>Runs a job and gives back the operations that it took, but for looks into an empty queue.</summary>
    async Task<int> RunAsync(string input, string format)
    {
        app.Count.Reset();
        var body = JsonSerializer.Serialize(new { operation = "encode", input, output = $"results/{Guid.NewGuid():n}/", format });
        using var started = await app.Http.SendAsync(HttpMethod.Post, "models/tiny/jobs", body.Json());
        var id = (string)JsonNode.Parse(await started.Content.ReadAsStringAsync())!["id"]!;
        Blob? last = null;
        await Eventually.Async(async () => Assert.NotNull(
            last = await app.Store.TryReadAsync($"jobs/tiny/{id}/finished.json", 1 << 20)), Math.Max(60, Many / 50), 0.2);
        var finished = JsonNode.Parse(last!.Content)!;
        Assert.Equal((Many, 0), ((int)finished["done"]!, (int)finished["failed"]!));
        await Task.Delay(500); // for the last message to be deleted
        return app.Count.Of("pictures", "results", "jobs", JobQueue.Name) - app.Count.Of("GET", JobQueue.Name);
    }

    void Report(string path, int operations, int? images = null) => output.WriteLine(
        $"{path}: {operations} operations for {images ?? Many} images, "
            + $"{(double)operations / (images ?? Many):0.####} an image\n{app.Count}");

    /// <summary>Uploads an image under many names, as many at a time as <c>./vae drop</c> does.</summary>
    Task UploadAsync(string folder, int? images = null) => Parallel.ForAsync(
        0, images ?? Many, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, cancellation) =>
            await app.Store.WriteAsync($"{folder}{i:00000}.jpg", new(Pictures.Jpeg), cancellation: cancellation));

    [SkippableFact]
    public async Task An_image_in_the_inbox_costs_three_operations()
    {
        var dropped = Many / 3;
        app.Count.Reset();
        await UploadAsync("inbox/tiny/", dropped);
        await Eventually.Async(async () => Assert.Equal(dropped,
            await app.Store.ListAsync("results/tiny/").CountAsync(blob => blob.Path.EndsWith(".json", StringComparison.Ordinal))),
            Math.Max(60, dropped / 10), 0.5);
        var listings = app.Count.Of("rejected");
        var operations = app.Count.Of("GET", "inbox") + app.Count.Of("results") + listings;
        Report("inbox", operations, dropped);
        Assert.Equal(3 * dropped, operations - listings);
        Assert.InRange(listings, 1, dropped / 10); // what was rejected before: a listing that many share
    }

    [SkippableFact]
    public async Task A_job_on_loose_images_reads_each_and_writes_its_result_and_little_else()
    {
        await UploadAsync("pictures/files/");
        var operations = await RunAsync("pictures/files/", "files");
        Report("files to files", operations);
        Assert.InRange(operations, 2 * Many, 2 * Many + 60 + Many / 10);
    }

    [SkippableFact]
    public async Task A_job_on_loose_images_with_columns_reads_each_and_little_else()
    {
        await UploadAsync("pictures/columns/");
        var operations = await RunAsync("pictures/columns/", "parquet");
        Report("files to Parquet", operations);
        Assert.InRange(operations, Many, Many + 20 * Slices);
    }

    /// <summary>The bound is for 20,000 JPEGs of CIFAR-10, which are a TAR of 60 MB; more of them are more TARs.</summary>
    [SkippableFact]
    public async Task A_job_from_TARs_to_columns_costs_a_hundredth_of_an_operation_an_image()
    {
        const int images = 20_000;
        byte[] jpeg = [.. Pictures.Jpeg, .. new byte[1500]];
        var bytes = 0L;
        for (var first = 0; first < Many; first += images)
        {
            var content = new MemoryStream();
            using (var tar = new TarWriter(content, leaveOpen: true))
            {
                for (var i = first; i < Math.Min(Many, first + images); i++)
                {
                    tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, $"{i:0000000}.jpg")
                    {
                        DataStream = new MemoryStream(jpeg),
                    });
                }
            }
            bytes += content.Length;
            await app.Store.WriteAsync($"pictures/archives/{first:0000000}.tar", new(content.ToArray()));
        }
        var operations = await RunAsync("pictures/archives/", "parquet");
        Report("TARs to Parquet", operations);
        var windowsMore = (int)((images / (double)Many - 1) * bytes / Opening.Window) + Slices;
        Assert.InRange(operations + (Many < images ? windowsMore : 0), 1, Math.Max(images, Many) / 100);
    }
}
