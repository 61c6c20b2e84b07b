using System.Diagnostics.Metrics;

namespace VaeFunctions.Tests;

/// <summary>Makes meters that nobody reads.</summary>
sealed class Meters : IMeterFactory
{
    public Meter Create(MeterOptions options) => new(options);

    public void Dispose()
    {
    }
}
