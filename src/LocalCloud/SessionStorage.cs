using System.CommandLine;
using System.Diagnostics;
using VaeFunctions.Registry;

namespace VaeFunctions.LocalCloud;

/// <summary>The storage of commands that work beside a server: that of <c>./vae serve</c>, or the one that the settings
/// name.</summary>
static class SessionStorage
{
    /// <summary>The option that says which <c>./vae serve</c> is meant.</summary>
    public static Option<string> Data() => new("--data")
    {
        Description = "the data folder of ./vae serve",
        DefaultValueFactory = _ => Session.DefaultFolder,
    };

    /// <summary>Opens it; a serve that has only just been started is waited for.</summary>
    /// <param name="data">The data folder of ./vae serve.</param>
    /// <exception cref="LocalCloudException">None is named and no serve is running there.</exception>
    public static async Task<IBlobStore> OpenAsync(string data, CancellationToken cancellation)
    {
        if (BlobStores.IsNamed(BlobStores.Environment))
            return BlobStores.FromSettings(BlobStores.Environment);
        for (var clock = Stopwatch.StartNew(); ; await Task.Delay(200, cancellation))
        {
            if (Session.IsHeld(data) && Session.TryRead(data) is { } session
                && await AnswersAsync(session.StoragePort, cancellation))
                return BlobStores.Open(Azurite.ConnectionString(session.StoragePort));
            if (clock.Elapsed > (Session.IsHeld(data) ? LongestStart : Hesitation))
                break;
        }
        throw LocalCloudException.WrongInput(
            $"No ./vae serve is running on {data}. Start it in another terminal; where it runs with --data DIR, give the same "
                + "here; or name a storage account in the environment variable VaeStorage.");
    }

    /// <summary>How long a ./vae serve that has been started may take until it serves: it publishes models first.</summary>
    static readonly TimeSpan LongestStart = TimeSpan.FromMinutes(2);

    /// <summary>How long one that was started just now may take until it can be noticed.</summary>
    static readonly TimeSpan Hesitation = TimeSpan.FromSeconds(3);

    static async Task<bool> AnswersAsync(int storagePort, CancellationToken cancellation)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        try
        {
            using var answer = await http.GetAsync(new Uri(Azurite.Endpoint(storagePort)), cancellation);
            return true;
        }
        catch (Exception fault) when (fault is HttpRequestException or TaskCanceledException
            && !cancellation.IsCancellationRequested)
        {
            return false;
        }
    }
}
