using System.Diagnostics;
using VaeFunctions.LocalCloud.Host;

namespace VaeFunctions.LocalCloud;

/// <summary>The functions, on this machine's loopback interface.</summary>
static class FunctionsHost
{
    public const int DefaultPort = 7071;

    /// <summary>The built functions on a storage account. Their log goes to the data folder's functions.log.</summary>
    /// <param name="port">Where they listen; 0 takes any free port.</param>
    public static LocalHostOptions Options(int port, int workers, string connectionString, string folder) => new()
    {
        App = Installation.Functions,
        Port = port,
        Workers = workers,
        Storage = connectionString,
        DataFolder = folder,
        Log = TextWriter.Synchronized(new StreamWriter(Path.Combine(folder, "functions.log"), append: false)),
    };

    /// <summary>Waits until every model is loaded.</summary>
    /// <exception cref="LocalCloudException">They are not within a minute; the message has the answer.</exception>
    public static async Task WarmUpAsync(IFunctionsHost host, CancellationToken cancellation)
    {
        using var http = new HttpClient { BaseAddress = host.Address };
        for (var clock = Stopwatch.StartNew(); ; await Task.Delay(20, cancellation))
        {
            using var answer = await http.GetAsync("/api/health/ready", cancellation);
            if (answer.IsSuccessStatusCode)
                return;
            if (clock.Elapsed > TimeSpan.FromMinutes(1))
                throw new LocalCloudException(
                    $"The functions are not ready after a minute: {await answer.Content.ReadAsStringAsync(cancellation)}");
        }
    }
}
