using VaeFunctions.Registry;

namespace VaeFunctions.LocalCloud;

/// <summary>The functions, on this machine's loopback interface.</summary>
static class FunctionsHost
{
    public const int DefaultPort = 7071;

    /// <summary>Starts the functions on a storage account and waits until they answer.</summary>
    public static async Task<ChildProcess> StartAsync(int port, string connectionString, string log, CancellationToken cancellation)
    {
        var process = ChildProcess.Start(
            "The functions host",
            Installation.Functions,
            ["--port", $"{port}"],
            new Dictionary<string, string> { [BlobStores.Setting] = connectionString, ["AzureWebJobsStorage"] = connectionString },
            log);
        try
        {
            await process.WaitUntilReadyAsync(
                new Uri($"http://127.0.0.1:{port}/api/health/live"), answer => answer.IsSuccessStatusCode, TimeSpan.FromSeconds(60), cancellation);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
        return process;
    }
}
