using System.Collections.Concurrent;
using System.Net;
using Azure.Storage.Blobs;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using VaeFunctions.LocalFunctions;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests.Host;

/// <summary>Functions to run: they write down what they were given.</summary>
public sealed class SampleFunctions(SampleFunctions.Notes notes)
{
    public sealed class Notes : ConcurrentQueue<string>;

    [Function("Echo")]
    public static IActionResult Echo(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "echo/{word}/{count?}")] HttpRequest request, string word, int? count, FunctionContext context) =>
        new ContentResult { Content = $"{context.FunctionDefinition.Name} {word} {count} {request.Query["q"]}" };

    [Function("Fails")]
    public static Task<IActionResult> Fails([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request) => throw new InvalidOperationException("as it should");

    [Function("Text")]
    public void Text([BlobTrigger("kinds/text/{folder}/{name}.txt", Connection = "Storage")] string text, string folder, string name, FunctionContext context) =>
        notes.Enqueue($"{context.BindingContext.BindingData["BlobTrigger"]}: {folder} {name} {text}");

    [Function("Streamed")]
    public async Task Streamed([BlobTrigger("kinds/stream/{name}", Connection = "Storage")] Stream stream, string name, CancellationToken cancellation)
    {
        using var reader = new StreamReader(stream);
        notes.Enqueue($"stream {name} {await reader.ReadToEndAsync(cancellation)}");
    }

    [Function("Bytes")]
    public void Bytes([BlobTrigger("kinds/bytes/{name}", Connection = "Storage")] byte[] bytes) => notes.Enqueue($"bytes {bytes.Length}");

    [Function("Second")]
    public void Second([BlobTrigger("kinds/twice/{name}", Connection = "Storage")] BinaryData data)
    {
        notes.Enqueue($"twice {data}");
        if (notes.Count(note => note.StartsWith("twice", StringComparison.Ordinal)) == 1)
            throw new InvalidOperationException("the first time");
    }

    [Function("Never")]
    public void Never([BlobTrigger("kinds/never/{name}", Connection = "Storage")] BlobClient blob)
    {
        notes.Enqueue($"never {blob.Name}");
        throw new InvalidOperationException("each time");
    }

    [Function("Tick")]
    public void Tick([TimerTrigger("%Schedule%")] TimerInfo timer) => notes.Enqueue($"tick {timer.ScheduleStatus!.Next > DateTime.UtcNow}");
}

public sealed class LocalHostTests : IAsyncLifetime
{
    readonly AzuriteFixture azurite = new();
    LocalHost? host;

    public Task InitializeAsync() => azurite.InitializeAsync();

    public async Task DisposeAsync()
    {
        if (host is not null)
            await host.DisposeAsync();
        await azurite.DisposeAsync();
    }

    [SkippableFact]
    public async Task Requests_blobs_and_timers_run_functions()
    {
        var store = new AzureBlobStore(new BlobServiceClient(azurite.ConnectionString));
        foreach (var name in (string[])["text/a/b.txt", "text/a.png", "stream/s", "bytes/four", "twice/t", "never/n"])
            await store.WriteAsync($"kinds/{name}", BinaryData.FromString("four"));

        var builder = new FunctionsApplicationBuilder(["--port", "0", "--Storage", azurite.ConnectionString, "--Schedule", "* * * * * *"], typeof(SampleFunctions).Assembly);
        builder.ConfigureFunctionsWebApplication();
        builder.Services.AddSingleton<SampleFunctions.Notes>();
        host = (LocalHost)builder.Build();
        await host.StartAsync();
        var notes = host.Services.GetRequiredService<SampleFunctions.Notes>();

        using var http = new HttpClient { BaseAddress = new Uri(host.Addresses.Single() + "/api/") };
        Assert.Equal("Echo hello 3 yes", await http.GetStringAsync("echo/hello/3?q=yes"));
        Assert.Equal("Echo hello  ", await http.GetStringAsync("echo/hello"));
        using (var failed = await http.PostAsync("fails", null))
        {
            Assert.Equal(HttpStatusCode.InternalServerError, failed.StatusCode);
            Assert.Equal("application/problem+json", failed.Content.Headers.ContentType?.MediaType);
        }

        await Eventually.Async(() =>
        {
            Assert.Contains("kinds/text/a/b.txt: a b four", notes);
            Assert.Contains("stream s four", notes);
            Assert.Contains("bytes 4", notes);
            Assert.Contains("tick True", notes);
            Assert.Equal(2, notes.Count(note => note == "twice four"));
            return Task.CompletedTask;
        });

        // host.json: five tries, after 1, 2, 4 and 8 seconds; then the blob is set aside and left alone.
        await Eventually.Async(async () => Assert.Equal(1, await store.ListAsync("azure-webjobs-hosts/poison/Never/").CountAsync()), seconds: 60);
        Assert.Equal(5, notes.Count(note => note == "never never/n"));
        Assert.Single(notes, note => note.StartsWith("stream", StringComparison.Ordinal));
        Assert.DoesNotContain(notes, note => note.Contains("a.png", StringComparison.Ordinal));

        await host.StopAsync();
        var ticks = notes.Count;
        await Task.Delay(1500);
        Assert.Equal(ticks, notes.Count);
    }
}
