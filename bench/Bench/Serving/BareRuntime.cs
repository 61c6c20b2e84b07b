using Microsoft.ML.OnnxRuntime;

namespace VaeFunctions.Bench.Serving;

/// <summary>Calls of ONNX Runtime in a loop with nothing around them.</summary>
sealed class BareRuntime : IDisposable
{
    static readonly RunOptions Options = new();

    readonly InferenceSession session;
    readonly OrtValue latent;
    readonly int loops;

    /// <param name="loops">How many call at once; one has the runtime's own default of a thread for each core, several have one
    /// thread each.</param>
    public BareRuntime(string graph, float[][] latents, int loops)
    {
        this.loops = loops;
        using var options = new SessionOptions { IntraOpNumThreads = loops > 1 ? 1 : 0 };
        session = new(graph, options);
        latent = OrtValue.CreateTensorValueFromMemory<float>(
            [.. latents.SelectMany(row => row)], [latents.Length, latents[0].Length]);
    }

    /// <summary>Decodes the same latents again and again.</summary>
    public Task<Load> RunAsync(TimeSpan time) => Load.OfAsync(Enumerable.Repeat(Decode, loops), time);

    void Decode() => session.Run(Options, ["latent"], [latent], ["pixels"]).Dispose();

    public void Dispose()
    {
        latent.Dispose();
        session.Dispose();
    }
}
