namespace VaeFunctions.Tests.Registry;

/// <summary>A folder that is gone when the test is over.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("vae-tests-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
