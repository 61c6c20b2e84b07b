using Azure.Core;
using Azure.Core.Pipeline;

namespace VaeFunctions.Registry;

/// <summary>How long to wait for storage that does not answer. The defaults report one that is down within seconds.</summary>
public sealed record StoragePatience
{
    /// <summary>Further tries after the first.</summary>
    public int Retries { get; init; } = 3;

    /// <summary>The longest wait between two tries; the first waits are shorter.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a try may take to connect.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a request may take until its answer begins; uploads go in requests of 8 MB.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(30);

    internal void ApplyTo(ClientOptions options)
    {
        options.Retry.Mode = RetryMode.Exponential;
        options.Retry.MaxRetries = Retries;
        options.Retry.Delay = TimeSpan.FromMilliseconds(Math.Min(200, MaxDelay.TotalMilliseconds));
        options.Retry.MaxDelay = MaxDelay;
        options.Retry.NetworkTimeout = AnswerTimeout;
        options.Transport = new HttpClientTransport(new HttpClient(new SocketsHttpHandler
        {
            ConnectTimeout = ConnectTimeout,
            AllowAutoRedirect = false,
            UseCookies = false,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5), // so that a changed DNS entry is seen
        })
        { Timeout = Timeout.InfiniteTimeSpan }); // the retry policy has the timeout
    }
}
