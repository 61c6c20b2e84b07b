using System.Diagnostics;
using System.Text.RegularExpressions;

namespace VaeFunctions.Tests;

/// <summary>One Azurite, blobs and queues, for all tests of the collection <see cref="Name"/>, in memory, on a port of its own
/// choice.</summary>
/// <remarks>It ends when its standard input closes, so it does not outlive the tests, however they end.
/// A project uses it by compiling this file: <c>&lt;Compile Include="../Shared/AzuriteFixture.cs" /&gt;</c>.</remarks>
[CollectionDefinition(Name)]
public sealed partial class AzuriteFixture : IAsyncLifetime, ICollectionFixture<AzuriteFixture>
{
    public const string Name = "Azurite";

    // Public: https://learn.microsoft.com/azure/storage/common/storage-connect-azurite
    const string Account = "devstoreaccount1";
    const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    const string EndWithParent = "process.stdin.resume().on('end', () => process.exit()); require(process.argv[1]);";

    Process? process;
    string? endpoint, queueEndpoint;
    string missing = "";

    /// <summary>Skips the test that asks, with the reason, where Azurite is not installed.</summary>
    public string ConnectionString
    {
        get
        {
            Skip.If(endpoint is null, missing);
            return $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};"
                + $"BlobEndpoint={endpoint}/{Account};QueueEndpoint={queueEndpoint}/{Account};";
        }
    }

    public async Task InitializeAsync()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "package.json"))) root = root.Parent;
        var script = Path.Combine(root?.FullName ?? "", "node_modules/azurite/dist/src/azurite.js");
        if (!File.Exists(script))
        {
            missing = "Azurite is not installed; npm ci installs it.";
            return;
        }
        var start = new ProcessStartInfo("node",
        [
            "-e", EndWithParent, script, "--blobHost", "127.0.0.1", "--blobPort", "0", "--queuePort", "0", "--tablePort", "0",
            "--inMemoryPersistence",
            "--silent", "--loose", "--skipApiVersionCheck", "--disableTelemetry",
        ])
        { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            missing = $"Azurite needs Node, which does not start: {e.Message}";
            return;
        }
        var errors = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (await process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
        {
            if (Listening().Match(line) is not { Success: true } match) continue;
            if (match.Groups[1].Value == "Blob") endpoint = match.Groups[2].Value;
            if (match.Groups[1].Value == "Queue") queueEndpoint = match.Groups[2].Value;
            if (match.Groups[1].Value != "Table") continue; // the last of the three
            _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None); // a full pipe would stop it
            return;
        }
        throw new InvalidOperationException($"Azurite ended before it listened: {await errors}");
    }

    public Task DisposeAsync()
    {
        process?.Kill(entireProcessTree: true);
        process?.Dispose();
        return Task.CompletedTask;
    }

    [GeneratedRegex(@"Azurite (\w+) service is successfully listening at (http://\S+)")]
    private static partial Regex Listening();
}
