using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;

namespace VaeFunctions.Bench.Serving;

/// <summary>Calls of ONNX Runtime in a loop with nothing around them: the most that a server could answer without batching.</summary>
sealed class BareRuntime : IDisposable
{
    static readonly RunOptions Options = new();

    readonly InferenceSession session;
    readonly int loops;

    /// <param name="loops">How many call at once; one has the runtime's own default of a thread for each core, several have one thread each.</param>
    public BareRuntime(string graph, int loops)
    {
        this.loops = loops;
        using var options = new SessionOptions { IntraOpNumThreads = loops > 1 ? 1 : 0 };
        session = new(graph, options);
    }

    /// <summary>Decodes the same latents again and again.</summary>
    public async Task<Load> RunAsync(float[][] latents, TimeSpan time)
    {
        float[] rows = [.. latents.SelectMany(latent => latent)];
        var clock = Stopwatch.StartNew();
        var results = await Task.WhenAll(Enumerable.Range(0, loops).Select(_ => Task.Run(() =>
        {
            var own = new List<double>();
            using var latent = OrtValue.CreateTensorValueFromMemory(rows, [latents.Length, latents[0].Length]);
            while (clock.Elapsed < time)
            {
                var start = Stopwatch.GetTimestamp();
                using var pixels = session.Run(Options, ["latent"], [latent], ["pixels"]);
                own.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
            return own;
        })));
        return new(clock.Elapsed.TotalSeconds, [.. results.SelectMany(own => own).Order()]);
    }

    public void Dispose() => session.Dispose();
}
