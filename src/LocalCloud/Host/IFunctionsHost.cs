namespace VaeFunctions.LocalCloud.Host;

/// <summary>A running Functions host of this machine. Disposing stops it in order.</summary>
interface IFunctionsHost : IAsyncDisposable
{
    /// <summary>Where the functions answer.</summary>
    Uri Address { get; }

    /// <summary>Fails when the functions cannot be kept running.</summary>
    Task Ended { get; }
}
