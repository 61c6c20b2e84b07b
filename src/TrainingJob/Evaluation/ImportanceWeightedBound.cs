using VaeFunctions.Data;
using VaeFunctions.Imaging;
using VaeFunctions.Models;
using VaeFunctions.Tensors;
using VaeFunctions.Training;

namespace VaeFunctions.Evaluation;

/// <summary>−log p(x) is at most −log 1/k Σ p(x, zᵢ) / q(zᵢ | x), the less so the more draws there are; one draw gives −ELBO.
/// (Burda et al. 2016)</summary>
/// <param name="Draws">k</param>
/// <param name="Nats">The mean over images, up to the likelihood's constant.</param>
/// <param name="StandardError">Of that mean, from one image to the next.</param>
public sealed record ImportanceWeightedBound(int Draws, int Images, double Nats, double StandardError)
{
    /// <summary>Values of decoded images that are in the making at a time: large enough for fast products, small enough for the
    /// caches.</summary>
    const int ValuesAtATime = 1 << 20;

    /// <summary>The images' information in bits for each of their values, pixels and channels, of 256 levels (2 of binarised
    /// ones).</summary>
    /// <remarks>A density over [low, high] becomes the probability of a level by the width of a level, (high − low) /
    /// 255.</remarks>
    public double BitsPerDimension(LikelihoodOptions likelihood, ImageShape image) =>
        (Nats / image.Size + likelihood switch
        {
            // Squared error is taken for a Gaussian of variance ½.
            SquaredErrorOptions error => 0.5 * Math.Log(Math.PI) - Math.Log(((double)error.High - error.Low) / 255),
            AbsoluteErrorOptions error => Math.Log(2) - Math.Log(((double)error.High - error.Low) / 255), // a Laplace of scale 1
            GaussianOptions gaussian => -Math.Log(((double)gaussian.High - gaussian.Low) / 255),
            _ => 0,
        }) / Math.Log(2);

    /// <param name="draws">k, 1 or more.</param>
    /// <param name="images">How many images from all over the set, at most.</param>
    /// <param name="progress">Told after every batch how many images are done.</param>
    /// <exception cref="ArgumentException">A number is below 1, or the model bounds no likelihood.</exception>
    public static ImportanceWeightedBound Of(
        Vae model, ImageDataset data, int draws, int images, ulong seed, Action<int>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(draws, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(images, 1);
        if (!model.BoundsLikelihood)
            throw new ArgumentException("A plain autoencoder gives no probability to an image, so that there is nothing "
                + "to bound.");
        images = Math.Min(images, data.Count);
        var rows = Math.Clamp(ValuesAtATime / model.Image.Size, 16, 4096);
        int[] places = [.. Enumerable.Range(0, images).Select(i => (int)((long)i * data.Count / images))];
        var (sum, squares) = (0.0, 0.0);
        var done = 0;
        using var source = new BatchSource(data, model);
        foreach (var chunk in places.Chunk(Math.Max(1, rows / draws)))
        {
            foreach (var bound in Bounds(source, chunk, draws, rows, seed, cancellation))
            {
                sum += bound;
                squares += bound * bound;
            }
            progress?.Invoke(done += chunk.Length);
        }
        var mean = sum / images;
        return new(draws, images, mean, Math.Sqrt(Math.Max(0, squares / images - mean * mean) / Math.Max(1, images - 1)));
    }

    static double[] Bounds(BatchSource images, int[] places, int draws, int rows, ulong seed, CancellationToken cancellation)
    {
        var model = images.Model;
        var backend = model.Parameters.Backend;
        var sums = new LogSum[places.Length];
        var (left, part) = (draws, 0UL);
        while (left > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            var drawn = Math.Min(left, Math.Max(1, rows / places.Length));
            using var scope = backend.BeginScope();
            var batch = images.Gather(places, new(seed, "unused"), samples: 0);
            var noise = new float[places.Length * drawn * model.LatentSize];
            NormalNoise.Fill(noise, seed, $"importance noise {part++}", (ulong)places[0]);
            var terms = (batch with { Noise = noise, NoiseShape = new(places.Length * drawn, model.LatentSize) })
                .Terms(model, backend);
            // log w = log p(x | z) + log p(z) − log q(z | x)
            var logWeights = (-(terms.Reconstruction + terms.LogRatio)).ToArray();
            // A model that draws nothing has one weight, whatever k.
            var each = logWeights.Length / places.Length;
            for (var i = 0; i < logWeights.Length; i++) sums[i / each].Add(logWeights[i]);
            left = each < drawn ? 0 : left - drawn;
        }
        return [.. sums.Select(sum => -sum.LogMean)];
    }

    /// <summary>log Σ eˣ of values that come one by one, scaled by the largest so far.</summary>
    struct LogSum
    {
        double largest, scaled;
        long count;

        public readonly double LogMean => largest + Math.Log(scaled / count);

        public void Add(double value)
        {
            if (count++ == 0) (largest, scaled) = (value, 1);
            else if (value <= largest) scaled += Math.Exp(value - largest);
            else (largest, scaled) = (value, scaled * Math.Exp(largest - value) + 1);
        }
    }
}
