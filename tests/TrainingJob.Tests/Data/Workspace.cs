using VaeFunctions.Data;
using VaeFunctions.Imaging;

namespace VaeFunctions.Tests.Data;

/// <summary>A temporary folder for one test, and the few things that are put in it.</summary>
public abstract class Workspace : IDisposable
{
    protected string Root { get; } = Directory.CreateTempSubdirectory("vae-data-").FullName;

    protected List<string> Log { get; } = [];

    public void Dispose()
    {
        Directory.Delete(Root, recursive: true);
        GC.SuppressFinalize(this);
    }

    protected void Write(string name, byte[] content)
    {
        var path = Path.Combine(Root, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
    }

    /// <summary>Loads what lies in the folder; nothing is kept decoded unless the options say so.</summary>
    protected Task<DataSplit> LoadAsync(string kind, DataOptions? options = null) =>
        DataSources.LoadAsync($"{kind}:{Root}", (options ?? new DataOptions { Cache = null }) with { Log = Log.Add });

    protected async Task<string> FailAsync(string kind, DataOptions? options = null)
    {
        var error = await Assert.ThrowsAsync<DataException>(() => LoadAsync(kind, options));
        Assert.StartsWith($"{kind}:{Root}: ", error.Message, StringComparison.Ordinal);
        return error.Message[$"{kind}:{Root}: ".Length..];
    }

    /// <summary>A PNG of one plain value, so that a test knows it again.</summary>
    protected static byte[] Png(byte value, int width = 4, int height = 3, int channels = 1)
    {
        var pixels = new byte[width * height * channels];
        Array.Fill(pixels, value);
        return ImageCodec.EncodePng(new Image(width, height, channels, pixels));
    }

    protected static byte[] Resource(string name)
    {
        using var stream = typeof(Workspace).Assembly.GetManifestResourceStream(name)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }

    /// <summary>The first byte of every image, which tells plain images apart.</summary>
    protected static int[] Values(ImageDataset dataset) =>
        [.. Enumerable.Range(0, dataset.Count).Select(i => (int)dataset.Pixels(i)[0])];
}
