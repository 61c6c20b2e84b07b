namespace VaeFunctions.LocalCloud;

/// <summary>Azurite, Microsoft's emulator of Azure storage: its blob service on this machine, and its queues on the next
/// port.</summary>
static class Azurite
{
    public const int DefaultPort = 10000;

    // The emulator's published account, the same on every machine.
    const string Account = "devstoreaccount1";
    const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    public static string Endpoint(int port) => $"http://127.0.0.1:{port}/{Account}";

    public static string ConnectionString(int port) =>
        $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};"
        + $"BlobEndpoint={Endpoint(port)};QueueEndpoint={Endpoint(port + 1)};";

    /// <summary>Starts the emulator with its data in a folder and waits until it answers.</summary>
    public static async Task<ChildProcess> StartAsync(int port, string folder, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        var process = ChildProcess.Start(
            "The storage emulator",
            "node",
            [Installation.Azurite, "--blobHost", "127.0.0.1", "--blobPort", $"{port}",
                "--queueHost", "127.0.0.1", "--queuePort", $"{port + 1}",
                "--tableHost", "127.0.0.1", "--tablePort", "0", "--location", folder,
                "--silent", "--loose", "--skipApiVersionCheck", "--disableTelemetry"],
            log: Path.Combine(folder, "azurite.log"), isDone: AllClosed);
        try
        {
            await process.WaitUntilReadyAsync(
                new Uri(Endpoint(port) + "?comp=list"), _ => true, TimeSpan.FromSeconds(60), cancellation);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
        return process;
    }

    /// <summary>Whether its services say that their data is written. After that it waits for connections that clients
    /// keep.</summary>
    static bool AllClosed(IEnumerable<string> lines) =>
        lines.Count(line => line.EndsWith("service successfully closed", StringComparison.Ordinal)) == 3;
}
