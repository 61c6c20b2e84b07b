using System.Globalization;
using VaeFunctions.Data;
using VaeFunctions.Imaging;
using VaeFunctions.Models;
using VaeFunctions.Tensors;

namespace VaeFunctions.Training;

/// <summary>What is reported of a model on images: the terms of what is minimised, summed over images in double precision, and
/// how many images that were.</summary>
public sealed record Measure(double Reconstruction = 0, double Kl = 0, long Images = 0)
{
    /// <summary>Latents that are decoded at once, at most.</summary>
    const int Draws = 256;

    /// <summary>What the terms count in the loss; <see cref="Objective.MeasureOf"/> says.</summary>
    public double ReconstructionWeight { get; init; } = 1;

    public double KlWeight { get; init; } = 1;

    /// <summary>The perceptual distance of images and reconstructions; null where the objective has no weight for
    /// it.</summary>
    public double? Perceptual { get; init; }

    public double PerceptualWeight { get; init; }

    /// <summary>The importance-weighted bound of −log p(x), where that is minimised in place of the terms' sum.</summary>
    public double? Bound { get; init; }

    /// <summary>How many codes of a codebook are in use, as the exponential of their usage's entropy; null where there is no
    /// codebook.</summary>
    public double? Perplexity { get; init; }

    /// <summary>The codes that any image took; null where there is no codebook.</summary>
    public int? CodesUsed { get; init; }

    public double MeanReconstruction => Reconstruction / Images;

    public double MeanKl => Kl / Images;

    public double? MeanPerceptual => Perceptual / Images;

    /// <summary>The weighted sum of the terms, or the bound, per image.</summary>
    public double Loss => (Bound
        ?? Reconstruction * ReconstructionWeight + Kl * KlWeight + (Perceptual ?? 0) * PerceptualWeight) / Images;

    /// <summary>What each term adds to the loss, per image; empty where the bound of several draws is minimised, which is no
    /// sum.</summary>
    public IReadOnlyList<(string Term, double Share)> Shares => Bound is not null ? [] : Perceptual is null
        ? [("reconstruction", MeanReconstruction * ReconstructionWeight), ("KL", MeanKl * KlWeight)]
        : [
            ("reconstruction", MeanReconstruction * ReconstructionWeight), ("KL", MeanKl * KlWeight),
            ("perceptual distance", MeanPerceptual!.Value * PerceptualWeight),
        ];

    /// <summary>The loss as the sum that it is: <c>reconstruction 81.2 + KL 20.3</c>, of an image.</summary>
    public string Sum => Bound is null
        ? string.Join(" + ", Shares.Select(part => string.Create(CultureInfo.InvariantCulture, $"{part.Term} {part.Share:G5}")))
        : string.Create(CultureInfo.InvariantCulture,
            $"the bound of several draws; of one, reconstruction {MeanReconstruction:F2}, KL {MeanKl:F2}");

    /// <summary>How the loss follows from the terms as metrics.csv has them.</summary>
    public string Formula => Bound is not null
        ? "loss = the importance-weighted bound of several draws; reconstruction and kl are those of one draw"
        : $"loss = reconstruction{Times(ReconstructionWeight)} + kl{Times(KlWeight)}"
            + (Perceptual is null ? "" : $" + perceptual{Times(PerceptualWeight)}");

    static string Times(double weight) => weight == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $" · {weight:G4}");

    /// <summary>Those of more images, measured in the same way.</summary>
    public Measure Plus(Measure more) => more with
    {
        Reconstruction = Reconstruction + more.Reconstruction,
        Kl = Kl + more.Kl,
        Perceptual = more.Perceptual is { } distance ? (Perceptual ?? 0) + distance : null,
        Bound = more.Bound is { } bound ? (Bound ?? 0) + bound : null,
        Images = Images + more.Images,
    };

    /// <summary>The measure of images that a model was not trained on, by a recipe's objective: with as many latents drawn for
    /// each image as in training, the same draws every time.</summary>
    /// <exception cref="OperationCanceledException">Asked to stop.</exception>
    public static Measure Of(Vae model, ImageDataset data, Recipe recipe, CancellationToken cancellation = default)
    {
        using var images = new BatchSource(data, model);
        return Of(images, recipe, cancellation);
    }

    /// <inheritdoc cref="Of(Vae, ImageDataset, Recipe, CancellationToken)"/>
    public static Measure Of(BatchSource images, Recipe recipe, CancellationToken cancellation = default)
    {
        var (model, samples) = (images.Model, recipe.Objective.Samples);
        var backend = model.Parameters.Backend;
        var distance = recipe.Objective.DistanceOn(backend);
        var measure = new Measure();
        var usage = new Dictionary<float, long>();
        int[] order = [.. Enumerable.Range(0, images.Count)];
        var batchSize = Math.Max(1, BatchOf(model.Image) / samples);
        for (var start = 0; start < images.Count; start += batchSize)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = backend.BeginScope();
            var places = order.AsSpan(start, Math.Min(batchSize, images.Count - start));
            var batch = images.Gather(places, new(recipe.Seed, "evaluation noise", (ulong)start), samples);
            var terms = batch.Terms(model, backend, distance);
            measure = measure.Plus(recipe.Objective.MeasureOf(terms, batch.Count, model.Image));
            foreach (var code in terms.Codes?.ToArray() ?? [])
                usage[code] = usage.GetValueOrDefault(code) + 1;
        }
        return usage.Count == 0 ? measure : measure with { Perplexity = PerplexityOf(usage.Values), CodesUsed = usage.Count };
    }

    /// <summary>How many images are worked on at once: of those above 32×32 so many fewer that they take as much
    /// memory.</summary>
    internal static int BatchOf(ImageShape image) => Math.Clamp(Draws * 1024 / (image.Height * image.Width), 8, Draws);

    /// <summary>How many equally frequent things would be as hard to foresee: exp(−Σ p log p).</summary>
    /// <param name="counts">Above 0.</param>
    public static double PerplexityOf(IReadOnlyCollection<long> counts)
    {
        double total = counts.Sum();
        return Math.Exp(-counts.Sum(count => count / total * Math.Log(count / total)));
    }
}
