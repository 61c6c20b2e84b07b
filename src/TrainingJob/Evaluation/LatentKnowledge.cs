using VaeFunctions.Data;
using VaeFunctions.Latent;
using VaeFunctions.Models;
using VaeFunctions.Tensors;

namespace VaeFunctions.Evaluation;

/// <summary>What is learnt about a trained model's latent space: the concepts in it.</summary>
public static class LatentKnowledge
{
    /// <summary>Images to find concepts in, at most.</summary>
    const int MostImages = 4096;

    /// <summary>Examples of each side that a concept needs, and the labels beyond which each is not worth one.</summary>
    const int FewestExamples = 5, MostLabels = 100;

    const int BatchSize = 256;

    /// <summary>A concept for each label against all others, for each yes-or-no attribute, and for each other one its upper
    /// against its lower third.</summary>
    /// <remarks>None for labels that condition the model: its latents leave them out.</remarks>
    public static IReadOnlyList<Concept> Concepts(Vae model, ImageDataset data, CancellationToken cancellation)
    {
        var sides = Sides(data, withLabels: model.Classes == 0).ToList();
        if (sides is []) return [];
        var places = Places(data);
        var latents = Encode(model, data, places).ToArray();
        // Where labels condition the model, decoding and encoding again would need each image's label.
        Func<float[][], float[][]>? again = model.Classes == 0 ? latents => Again(model, latents) : null;
        var concepts = new Dictionary<string, Concept>();
        foreach (var (text, side) in sides)
        {
            cancellation.ThrowIfCancellationRequested();
            float[][] with = [.. latents.Where((_, i) => side(places[i]) > 0)];
            float[][] without = [.. latents.Where((_, i) => side(places[i]) < 0)];
            if (Math.Min(with.Length, without.Length) < FewestExamples) continue;
            var name = FreeName(ConceptFile.ToConceptName(text), concepts);
            concepts.Add(name, Concept.Find(name, with, without, again));
        }
        return [.. concepts.Values];
    }

    /// <summary>Latents to those of the images that they decode to.</summary>
    static float[][] Again(Vae model, float[][] latents)
    {
        var backend = model.Parameters.Backend;
        using var scope = backend.BeginScope();
        var pixels = model.DecodePixels(
            backend.FromValues([.. latents.SelectMany(latent => latent)], new(latents.Length, model.LatentSize)));
        return [.. model.EncodePixels(pixels).Mean.ToArray().Chunk(model.LatentSize)];
    }

    /// <summary>Labels of different names may come to one name for a concept, such as "a b" and "a_b".</summary>
    static string FreeName(string name, Dictionary<string, Concept> taken)
    {
        for (var number = 2; ; number++)
        {
            if (!taken.ContainsKey(name)) return name;
            var ending = $"-{number}";
            var stem = number == 2 ? name : name[..name.LastIndexOf('-')];
            name = stem[..Math.Min(stem.Length, 63 - ending.Length)] + ending;
        }
    }

    /// <summary>What tells the sides apart: above 0 with, below 0 without, 0 neither.</summary>
    static IEnumerable<(string Name, Func<int, int> Side)> Sides(ImageDataset data, bool withLabels)
    {
        if (withLabels && data.Labels is { } labels && data.LabelNames.Count is > 1 and <= MostLabels)
        {
            foreach (var (label, name) in data.LabelNames.Index())
                yield return (name, i => labels[i] == label ? 1 : -1);
        }
        for (var a = 0; data.Attributes is { } attributes && a < data.AttributeNames.Count; a++)
        {
            var column = a;
            float[] sorted = [.. Enumerable.Range(0, data.Count).Select(i => attributes[i, column])
                .Where(value => !float.IsNaN(value)).Order()];
            if (sorted is []) continue;
            float low = sorted[sorted.Length / 3], high = sorted[sorted.Length * 2 / 3];
            // Of two values, such as 0 and 1 or −1 and 1, each is a side. An unknown value, NaN, is on neither.
            if (Array.TrueForAll(sorted, value => value == sorted[0] || value == sorted[^1]))
                low = high = (sorted[0] + sorted[^1]) / 2;
            yield return (data.AttributeNames[a], i => attributes[i, column] > high ? 1 : attributes[i, column] < low ? -1 : 0);
        }
    }

    static int[] Places(ImageDataset data)
    {
        var count = Math.Min(MostImages, data.Count);
        return [.. Enumerable.Range(0, count).Select(i => (int)((long)i * data.Count / count))];
    }

    static IEnumerable<float[]> Encode(Vae model, ImageDataset data, int[] places)
    {
        var (backend, shape) = (model.Parameters.Backend, data.Shape);
        foreach (var batch in places.Chunk(BatchSize))
        {
            using var scope = backend.BeginScope();
            var pixels = backend.FromValues([.. batch.SelectMany(place => data.Image(place).Pixels, (_, pixel) => (float)pixel)],
                new(batch.Length, shape.Height, shape.Width, shape.Channels));
            var labels = model.Classes == 0
                ? null
                : backend.FromValues([.. batch.Select(place => (float)data.Labels![place])], new(batch.Length));
            foreach (var latent in model.EncodePixels(pixels, labels).Mean.ToArray().Chunk(model.LatentSize))
                yield return latent;
        }
    }
}
