using System.Globalization;
using VaeFunctions.Data;
using VaeFunctions.Latent;
using VaeFunctions.Models;
using VaeFunctions.Registry;
using VaeFunctions.Tensors;

namespace VaeFunctions.Priors;

/// <summary>What was found out about the codes of a trained model's images.</summary>
/// <param name="Axes">Where all codes that were looked at lie.</param>
/// <param name="Density">The density that fits best; null where the model's own prior does as well, or none could be
/// fitted.</param>
/// <param name="Comparison">Null where nothing could be fitted.</param>
public sealed record PriorFit(PrincipalAxes Axes, LatentDensity? Density, PriorComparison? Comparison)
{
    /// <summary>Training images whose codes are looked at, at most.</summary>
    const int MostImages = 20_000;

    /// <summary>The fewest codes that anything is fitted to, and the fewest that a flow learns from.</summary>
    const int FewestCodes = 50, FewestForFlow = 1000;

    /// <summary>Beyond so many latents a density costs too much, and beyond so many a flow does.</summary>
    public const int MostLatents = 1024, MostLatentsOfFlow = 192;

    /// <summary>What a code must gain, in nats, for a density to take the place of N(0, I).</summary>
    const double WorthWhile = 0.5;

    /// <summary>Fits a Gaussian, mixtures and a flow to the codes of training images, and chooses by the likelihood of codes
    /// that were held out. It depends on images, weights and seed alone.</summary>
    /// <remarks>A model whose latents are a grid of codes has a prior of its own, and too many latents cost too much: then there
    /// are only axes.</remarks>
    public static PriorFit Of(
        Vae model, ImageDataset train, ulong seed, Action<string>? log = null, CancellationToken cancellation = default)
    {
        if (model is IAutoregressive || model.LatentSize > MostLatents)
            return new(FewImages.Axes(Codes.Of(model, train, FewImages.Most, cancellation)), null, null);
        log?.Invoke($"fitting priors to the codes of {Math.Min(train.Count, MostImages):N0} training images");
        var codes = Codes.Of(model, train, MostImages, cancellation);
        return Of(codes, model.OwnPrior == Prior.StandardNormal, model.Parameters.Backend, seed, log, cancellation);
    }

    /// <param name="normal">Whether N(0, I) is the prior that must be bettered.</param>
    internal static PriorFit Of(Codes codes, bool normal, ITrainingBackend backend, ulong seed, Action<string>? log = null,
        CancellationToken cancellation = default)
    {
        var axes = CodeStatistics.Of(codes).Leading(PrincipalAxes.Most);
        if (codes.Count < FewestCodes) return new(axes, null, null);

        var (fitted, heldOut) = codes.Split();
        var judged = heldOut.Draw(new(seed, "held-out codes"));
        var candidates = Candidates(fitted, seed, backend, cancellation)
            .ToDictionary(candidate => candidate.Name, candidate => candidate.Density);
        var likelihoods = candidates.ToDictionary(pair => pair.Key, pair => LogLikelihood(pair.Value, judged, backend));
        if (normal) likelihoods[StandardNormal] = StandardNormalLikelihood(judged, codes.Latents);
        var usual = likelihoods.GetValueOrDefault(StandardNormal, double.NegativeInfinity);
        var best = candidates.Keys.Where(name => double.IsFinite(likelihoods[name])).MaxBy(name => likelihoods[name]);
        var chosen = best is not null && likelihoods[best] > usual + WorthWhile ? best : StandardNormal;
        if (best is null || chosen == StandardNormal && !double.IsFinite(usual)) return new(axes, null, null);
        log?.Invoke($"  log-likelihood of a held-out code, in nats: {string.Join(", ", likelihoods.OrderBy(pair => pair.Value)
            .Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key} {pair.Value:F2}")))}; {chosen} it is");
        return new(axes, candidates.GetValueOrDefault(chosen), new(
            chosen, fitted.Count, heldOut.Count, likelihoods.OrderBy(pair => pair.Key, StringComparer.Ordinal).ToDictionary()));
    }

    const string StandardNormal = "standard-normal";

    static IEnumerable<(string Name, LatentDensity Density)> Candidates(
        Codes codes, ulong seed, ITrainingBackend backend, CancellationToken cancellation)
    {
        var statistics = CodeStatistics.Of(codes);
        yield return ("gaussian", MixtureFit.Fit(codes, statistics, 1, tied: true, seed, backend));
        if (MixtureFit.ComponentsFor(codes.Count) is > 1 and var components)
        {
            yield return ("mixture", MixtureFit.Fit(codes, statistics, components, tied: false, seed, backend));
            yield return ("tied-mixture", MixtureFit.Fit(codes, statistics, components, tied: true, seed, backend));
        }
        if (codes.Count >= FewestForFlow && codes.Latents is >= 2 and <= MostLatentsOfFlow)
            yield return ("flow", FlowFit.Fit(codes, statistics, seed, backend, cancellation));
    }

    /// <summary>The mean over codes, [count, L].</summary>
    static double LogLikelihood(LatentDensity density, float[] codes, ITrainingBackend backend)
    {
        const int batch = 256;
        double sum = 0;
        foreach (var rows in codes.Chunk(batch * density.LatentSize))
        {
            using var scope = backend.BeginScope();
            var latent = backend.FromValues(rows, new(rows.Length / density.LatentSize, density.LatentSize));
            sum += density.LogDensity(latent).ToArray().Sum(value => (double)value);
        }
        return sum / (codes.Length / density.LatentSize);
    }

    static double StandardNormalLikelihood(float[] codes, int size) =>
        -0.5 * (codes.Sum(value => (double)value * value) / (codes.Length / size) + size * Math.Log(2 * Math.PI));
}
