namespace VaeFunctions.Evaluation;

/// <summary>What latents know about an attribute, as parts of the attribute's entropy.</summary>
/// <param name="Latent">The one that knows most.</param>
/// <param name="Best">Its mutual information with the attribute over the attribute's entropy: 1 where it says all.</param>
/// <param name="Second">The same of the latent that knows second most.</param>
public sealed record AttributeScore(string Name, int Latent, double Best, double Second)
{
    public double Gap => Best - Second;
}

/// <summary>The mutual-information gap: whether each attribute is captured by one latent alone. (Chen et al. 2018, equation
/// 6)</summary>
/// <remarks>Estimated from histograms of the posterior's means, 20 equal bins a latent and an attribute, as Locatello et al. 2019
/// do; yes-or-no attributes have two bins.</remarks>
public static class MutualInformation
{
    const int Bins = 20;

    /// <param name="means">[images, latents], image by image.</param>
    /// <param name="attributes">[images, attributes]; NaN where one is not known.</param>
    /// <returns>A score for each attribute that is not the same in all images; the gap of the model is the mean of
    /// theirs.</returns>
    public static IReadOnlyList<AttributeScore> Of(float[] means, int latents, float[,] attributes, IReadOnlyList<string> names)
    {
        List<AttributeScore> scores = [];
        for (var attribute = 0; attribute < names.Count; attribute++)
        {
            int[] known = [.. Enumerable.Range(0, attributes.GetLength(0))
                .Where(image => !float.IsNaN(attributes[image, attribute]))];
            if (known.Length == 0) continue;
            var truth = Binned(Array.ConvertAll(known, image => attributes[image, attribute]));
            var entropy = Of(truth, truth);
            if (entropy <= 0) continue;
            double[] parts = [.. Enumerable.Range(0, latents).Select(latent =>
                Of(Binned(Array.ConvertAll(known, image => means[image * latents + latent])), truth) / entropy)];
            var order = Enumerable.Range(0, latents).OrderByDescending(latent => parts[latent]).ToArray();
            scores.Add(new(names[attribute], order[0], parts[order[0]], latents > 1 ? parts[order[1]] : 0));
        }
        return scores;
    }

    /// <summary>I(a; b) = Σ p(a, b) log p(a, b) / (p(a) p(b)), in nats; I(a; a) is the entropy.</summary>
    public static double Of(int[] a, int[] b)
    {
        var (joint, first, second) = (new Dictionary<(int, int), int>(), new Dictionary<int, int>(), new Dictionary<int, int>());
        for (var i = 0; i < a.Length; i++)
        {
            joint[(a[i], b[i])] = joint.GetValueOrDefault((a[i], b[i])) + 1;
            first[a[i]] = first.GetValueOrDefault(a[i]) + 1;
            second[b[i]] = second.GetValueOrDefault(b[i]) + 1;
        }
        double count = a.Length;
        return joint.Sum(pair =>
            pair.Value / count * Math.Log(pair.Value * count / ((double)first[pair.Key.Item1] * second[pair.Key.Item2])));
    }

    /// <summary>Equal bins from the least value to the largest.</summary>
    static int[] Binned(float[] values)
    {
        var (low, high) = (values.Min(), values.Max());
        return Array.ConvertAll(values, value => high > low ? Math.Min(Bins - 1, (int)((value - low) / (high - low) * Bins)) : 0);
    }
}
