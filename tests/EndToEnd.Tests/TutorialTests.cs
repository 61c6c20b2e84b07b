using System.Text.RegularExpressions;
using VaeFunctions.Imaging;
using VaeFunctions.LocalCloud;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests;

/// <summary>Runs every line of docs/tutorial.md, in their order, in an empty folder.</summary>
public sealed partial class TutorialTests : IDisposable
{
    readonly TemporaryFolder folder = new();
    readonly Session session = new(Port.Free(), Port.Free());

    public void Dispose() => folder.Dispose();

    [SkippableFact]
    public async Task Every_line_of_the_tutorial_works_and_ends_with_a_smile()
    {
        await using (var curl = await Command.RunAsync("sh", "-c", "command -v curl"))
            Skip.IfNot(curl.ExitCode == 0, "There is no curl.");
        var page = await File.ReadAllTextAsync(Path.Combine(Installation.Root, "docs/tutorial.md"));
        var lines = Blocks().Matches(page)
            .SelectMany(block => block.Groups[1].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            .ToList();
        Command? serve = null;
        try
        {
            foreach (var line in lines)
            {
                if (line == "./vae serve")
                {
                    serve = Command.Start("bash", "-c", InFolder(line));
                    await serve.WaitForAsync("Ctrl-C stops");
                    continue;
                }
                if (line.StartsWith("./vae fetch", StringComparison.Ordinal))
                    await LatentsAsync();
                await using var command = await Command.RunAsync("bash", "-c", InFolder(line));
                Assert.True(command.ExitCode == 0, $"{line}\n{command.Output}");
                Assert.DoesNotContain("application/problem+json", command.Output, StringComparison.Ordinal);
                Assert.DoesNotContain("\"status\":4", command.Output, StringComparison.Ordinal);
                if (line.EndsWith("/concepts", StringComparison.Ordinal))
                    Assert.Matches("\"name\":\"smile\"", command.Output);
            }
            var strip = ImageCodec.Decode(await File.ReadAllBytesAsync(folder.File("smile.png")));
            Assert.True(strip.Width >= 5 * 32 && strip.Pixels.Distinct().Count() > 20, $"{strip.Shape}");
            Assert.True(File.Exists(folder.File("results/face-0001.png.json")));
            Assert.Equal(10, Directory.GetFiles(folder.File("latents"), "*.json").Length);
        }
        finally
        {
            if (serve is not null) await serve.DisposeAsync();
        }
    }

    /// <summary>Waits until the bulk job is done.</summary>
    async Task LatentsAsync()
    {
        var store = BlobStores.Open(Azurite.ConnectionString(session.StoragePort));
        var latents = 0;
        for (var tries = 0; tries < 300 && latents < 10; tries++, await Task.Delay(100))
            latents = await store.ListAsync("results/latents/")
                .CountAsync(blob => blob.Path.EndsWith(".json", StringComparison.Ordinal));
        Assert.Equal(10, latents);
    }

    /// <summary>The line as it is run here: this build's program, free ports, storage in the folder.</summary>
    string InFolder(string line)
    {
        var here = line.Replace("http://localhost:7071", $"http://localhost:{session.Port}", StringComparison.Ordinal);
        if (here == "./vae serve")
            here = $"exec {here} --port {session.Port} --storage-port {session.StoragePort} --data '{folder.File("data")}'";
        else if (here.StartsWith("./vae drop", StringComparison.Ordinal)
            || here.StartsWith("./vae fetch", StringComparison.Ordinal))
            here += $" --data '{folder.File("data")}'";
        return $"cd '{folder.Path}' && {here.Replace("./vae", $"'{Command.LocalCloud}'", StringComparison.Ordinal)}";
    }

    [GeneratedRegex("```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
