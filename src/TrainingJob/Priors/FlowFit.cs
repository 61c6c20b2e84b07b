using VaeFunctions.Models;
using VaeFunctions.Tensors;
using VaeFunctions.Training;

namespace VaeFunctions.Priors;

/// <summary>Trains a coupling flow on codes by maximum likelihood, drawing anew from the posteriors in every step.</summary>
static class FlowFit
{
    const int BatchSize = 256, MostSteps = 1500, Epochs = 30;
    const float LearningRate = 1e-3f, LongestGradient = 10;

    public static CouplingFlow Fit(
        Codes codes, CodeStatistics statistics, ulong seed, ITrainingBackend backend, CancellationToken cancellation)
    {
        var options = new CouplingFlowOptions { Latent = codes.Latents, Hidden = Math.Clamp(2 * codes.Latents, 32, 192) };
        var flow = (CouplingFlow)options.Build(backend, seed);
        flow.Whiten(statistics.Mean, statistics.Axes, statistics.Deviations);
        var optimizer = new AdamRecipe { LearningRate = LearningRate }.Build(flow.Parameters);
        var steps = Math.Min(MostSteps, Epochs * (codes.Count + BatchSize - 1) / BatchSize);
        for (var step = 0; step < steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = backend.BeginScope();
            var tape = backend.Record();
            var loss = -flow.LogDensity(tape.FromValues(Draw(codes, new(seed, "codes of a flow", (ulong)step)),
                new(BatchSize, codes.Latents))).Mean();
            if (!float.IsFinite(loss.ToScalar())) continue;
            var gradients = tape.Backward(loss);
            var norm = optimizer.Norm(gradients);
            if (!double.IsFinite(norm)) continue;
            var rate = 0.5f * (1 + MathF.Cos(MathF.PI * step / steps));
            optimizer.Step(gradients, rate, (float)Math.Min(1, LongestGradient / norm));
        }
        return flow;
    }

    static float[] Draw(Codes codes, RandomStream random)
    {
        var drawn = new float[BatchSize * codes.Latents];
        for (var row = 0; row < BatchSize; row++)
        {
            var from = random.NextInt(codes.Count) * codes.Latents;
            for (var i = 0; i < codes.Latents; i++)
                drawn[row * codes.Latents + i] =
                    codes.Means[from + i] + MathF.Sqrt(codes.Variances[from + i]) * random.NextGaussian();
        }
        return drawn;
    }
}
