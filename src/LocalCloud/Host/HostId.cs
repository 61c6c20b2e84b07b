using Microsoft.Azure.WebJobs.Host.Executors;

namespace VaeFunctions.LocalCloud.Host;

/// <summary>Names what the SDK keeps in storage for this host: receipts, locks and the blob trigger's queue.</summary>
sealed class HostId : IHostIdProvider
{
    public const string Value = "vae-local";

    public Task<string> GetHostIdAsync(CancellationToken cancellationToken) => Task.FromResult(Value);
}
