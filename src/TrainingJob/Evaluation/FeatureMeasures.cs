using VaeFunctions.Data;
using VaeFunctions.Features;
using VaeFunctions.Models;
using VaeFunctions.Tensors;
using VaeFunctions.Training;

namespace VaeFunctions.Evaluation;

/// <summary>What a pretrained network sees in a model's images: whether reconstructions look like their originals, and samples
/// like the images that the model learned from.</summary>
static class FeatureMeasures
{
    /// <summary>Images of each kind that are compared, at most.</summary>
    const int Most = 2048;

    /// <summary>Fewer images have no distribution to speak of.</summary>
    const int Fewest = 50;

    /// <summary>Adds what can be measured; of too few images, or of a model without a prior, that is less.</summary>
    /// <exception cref="FeatureException">The pretrained network cannot be read.</exception>
    public static void Add(
        Dictionary<string, double> metrics, Vae model, DataSplit data, ulong seed, CancellationToken cancellation = default)
    {
        var network = ResNet18.On(model.Parameters.Backend);
        var test = ModelEvaluation.Some(data.Test, Most);
        var (originals, reconstructions, distances) = Reconstruct(model, network, test, cancellation);
        metrics["perceptual_distance"] = distances.Average();
        if (test.Count >= Fewest)
            metrics["frechet_reconstructions"] = FrechetDistance.Of(originals, reconstructions, ResNet18.PooledSize);

        var train = ModelEvaluation.Some(data.Train, Most);
        if (model.Prior == Prior.None || train.Count < Fewest) return;
        var real = Pooled(network, model, train.Count, train.Pixels, cancellation);
        var drawn = Sampled(unfitted: false);
        metrics["frechet_samples"] = FrechetDistance.Of(real, drawn, ResNet18.PooledSize);
        (metrics["precision"], metrics["recall"]) = PrecisionAndRecall.Of(real, drawn, ResNet18.PooledSize);
        metrics["feature_samples"] = train.Count;
        if (model.Density is not null && model.OwnPrior != Prior.None || model is IAutoregressive)
            metrics["frechet_unfitted"] = FrechetDistance.Of(real, Sampled(unfitted: true), ResNet18.PooledSize);

        float[] Sampled(bool unfitted)
        {
            // Label after label where labels condition the model.
            int[]? labels = model.Classes == 0
                ? null
                : [.. Enumerable.Range(0, train.Count).Select(i => i % data.Train.LabelNames.Count)];
            var samples = ModelPictures.Draw(model, train.Count, labels, seed, unfitted, cancellation);
            return Pooled(network, model, samples.Length, i => samples[i].Pixels, cancellation);
        }
    }

    /// <summary>The pooled features of images and of their reconstructions from the posterior's mean, and the perceptual distance
    /// between both.</summary>
    static (float[] Originals, float[] Reconstructions, List<double> Distances) Reconstruct(
        Vae model, ResNet18 network, ImageDataset images, CancellationToken cancellation)
    {
        var (backend, distance) = (model.Parameters.Backend, new PerceptualDistance(network));
        List<float> originals = [], reconstructions = [];
        List<double> distances = [];
        using var source = new BatchSource(images, model);
        foreach (var places in Enumerable.Range(0, images.Count).Chunk(Measure.BatchOf(model.Image)))
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = backend.BeginScope();
            var batch = source.Gather(places, new(0, "none"), samples: 0);
            Tensor pixels = batch.PixelsOn(backend);
            var labels = batch.LabelsOn(backend);
            var decoded = model.DecodePixels(model.EncodePixels(pixels, labels).Mean, labels).Transpose(0, 3, 1, 2);
            pixels = pixels.Transpose(0, 3, 1, 2);
            originals.AddRange(network.Pooled(pixels).ToArray());
            reconstructions.AddRange(network.Pooled(decoded).ToArray());
            distances.AddRange(distance.Of(decoded, pixels).ToArray().Select(value => (double)value));
        }
        return ([.. originals], [.. reconstructions], distances);
    }

    static float[] Pooled(
        ResNet18 network, Vae model, int count, Func<int, ReadOnlySpan<byte>> pixels, CancellationToken cancellation)
    {
        var (backend, shape) = (model.Parameters.Backend, model.Image);
        var features = new float[count * ResNet18.PooledSize];
        foreach (var places in Enumerable.Range(0, count).Chunk(Measure.BatchOf(shape)))
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = backend.BeginScope();
            var values = new float[places.Length * shape.Size];
            for (var i = 0; i < places.Length; i++)
            {
                var image = pixels(places[i]);
                for (var p = 0; p < shape.Size; p++) values[i * shape.Size + p] = image[p];
            }
            var shades = backend.FromValues(values, new(places.Length, shape.Height, shape.Width, shape.Channels));
            network.Pooled(shades.Transpose(0, 3, 1, 2)).ToArray().CopyTo(features, places[0] * ResNet18.PooledSize);
        }
        return features;
    }
}
