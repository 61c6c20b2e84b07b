using VaeFunctions.Tensors;

namespace VaeFunctions.Models.Layers;

/// <summary>Batch normalisation per channel, as PyTorch's nn.BatchNorm2d: by the batch's statistics in training, by the running
/// ones elsewhere. (Ioffe and Szegedy 2015)</summary>
public sealed class BatchNormalization(Scope scope, int channels) : ILayer
{
    const float Epsilon = 1e-5f;
    const float Momentum = 0.1f;

    readonly Parameter weight = scope.Weight("weight", new(channels), Initializers.Constant(1));
    readonly Parameter bias = scope.Weight("bias", new(channels), Initializers.Constant(0));
    readonly Parameter runningMean = scope.Statistic("running_mean", new(channels), 0);
    readonly Parameter runningVariance = scope.Statistic("running_var", new(channels), 1);
    readonly Parameter batches = scope.Counter("num_batches_tracked");

    public Tensor Forward(Tensor x)
    {
        var backend = x.Backend;
        Tensor scale = backend.FromParameter(weight), shift = backend.FromParameter(bias);
        if (!backend.IsTraining)
            return backend.BatchNormalization(
                x, backend.FromParameter(runningMean), backend.FromParameter(runningVariance), scale, shift, Epsilon);

        var (output, mean, variance) = backend.BatchNormalizationTraining(x, scale, shift, Epsilon);
        var elements = x.Shape.Count / channels;
        Track(backend, runningMean, mean);
        Track(backend, runningVariance, variance * (elements / Math.Max(1f, elements - 1))); // the unbiased one
        backend.Update(batches, backend.FromParameter(batches) + 1);
        return output;
    }

    static void Track(IBackend backend, Parameter running, Tensor batch) =>
        backend.Update(running, backend.FromParameter(running) * (1 - Momentum) + batch * Momentum);
}
