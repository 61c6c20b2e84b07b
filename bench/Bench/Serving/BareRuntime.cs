using Microsoft.ML.OnnxRuntime;
using VaeFunctions.Imaging;

namespace VaeFunctions.Bench.Serving;

/// <summary>Calls of ONNX Runtime in a loop with nothing around them, or with the picture written as well.</summary>
sealed class BareRuntime : IDisposable
{
    static readonly RunOptions Options = new();

    readonly InferenceSession session;
    readonly OrtValue latent;
    readonly int loops;
    readonly ImageShape? picture;

    /// <param name="loops">How many call at once; one has the runtime's own default of a thread for each core, several have one
    /// thread each.</param>
    /// <param name="picture">The shape of the images that are written as a PNG grid in each turn of a loop; null writes
    /// none.</param>
    public BareRuntime(string graph, float[][] latents, int loops, ImageShape? picture = null)
    {
        (this.loops, this.picture) = (loops, picture);
        using var options = new SessionOptions { IntraOpNumThreads = loops > 1 ? 1 : 0 };
        session = new(graph, options);
        latent = OrtValue.CreateTensorValueFromMemory<float>(
            [.. latents.SelectMany(row => row)], [latents.Length, latents[0].Length]);
    }

    /// <summary>Decodes the same latents again and again.</summary>
    public Task<Load> RunAsync(TimeSpan time) => Load.OfAsync(Enumerable.Repeat(Decode, loops), time);

    void Decode()
    {
        using var answer = session.Run(Options, ["latent"], [latent], ["pixels"]);
        if (picture is not { } shape) return;
        var pixels = answer[0].GetTensorDataAsSpan<byte>();
        var images = new Image[pixels.Length / shape.Size];
        for (var i = 0; i < images.Length; i++) images[i] = new(shape, pixels.Slice(i * shape.Size, shape.Size).ToArray());
        ImageCodec.EncodePng(ImageGrid.Compose(images, columns: 4));
    }

    public void Dispose()
    {
        latent.Dispose();
        session.Dispose();
    }
}
