using VaeFunctions.Imaging;
using System.Text.Json.Nodes;
using VaeFunctions.Latent;

namespace VaeFunctions.Serving;

/// <summary>A place in the latent space that a request names, with the weight that sums give it, and the image it came from, if it did.</summary>
public sealed record LatentPoint(float[] Latent, float Weight, FittedImage? Image);

/// <summary>Turns what requests name, images, latents, seeds and concepts, into latent vectors.</summary>
public sealed class RequestLatents(RequestImages images, ConceptStore store)
{
    static readonly string[] Kinds = ["image", "latent", "seed", "concept"];

    /// <summary>The points of a field, in order; all images are encoded in one batch.</summary>
    /// <param name="inSum">Whether concepts and weights mean something.</param>
    /// <exception cref="RequestException">400: none, too many, or one that cannot be understood.</exception>
    public async Task<IReadOnlyList<LatentPoint>> ReadAsync(RequestContent content, Field field, ModelSession session, bool inSum, CancellationToken cancellation)
    {
        if (content[field] is not JsonArray array)
            throw content.Has(field) ? RequestContent.Wrong(field, content.Text(field) ?? "null") : RequestContent.Missing(field);
        images.CheckCount(array.Count);
        var points = new List<LatentPoint>(array.Count);
        foreach (var (i, item) in array.Index())
            points.Add(await ReadOneAsync(content, item, $"{field.Name}[{i}]", session, inSum, cancellation));
        return await EncodedAsync(content, points, session, cancellation);
    }

    /// <summary>Latent vectors of a field: [[…], …] or, for one, […]; at most a limit of them.</summary>
    public static float[][] Vectors(JsonNode? node, string place, int latentSize, int most)
    {
        if (node is JsonArray { Count: > 0 } flat && flat[0] is JsonValue)
            return [Vector(flat, place, latentSize)];
        if (node is not JsonArray { Count: > 0 } array)
            throw RequestException.Invalid($"\"{place}\" is missing or no array; give [[{latentSize} numbers], …].");
        if (array.Count > most)
            throw new RequestException(StatusCodes.Status413PayloadTooLarge, $"{place} has {array.Count} vectors; give at most {most}.");
        return [.. array.Select((item, i) => Vector(item, $"{place}[{i}]", latentSize))];
    }

    /// <summary>The concepts of a request by name: its own examples first, then those of the model.</summary>
    public async Task<Concept> ConceptAsync(RequestContent content, string name, ModelSession session, CancellationToken cancellation)
    {
        if (content[Field.Examples] is { } examples)
        {
            if (examples is not JsonObject byName)
                throw RequestContent.Wrong(Field.Examples, content.Text(Field.Examples)!);
            if (byName.TryGetPropertyValue(name, out var own))
                return await ExampleAsync(content, name, own, session, cancellation);
        }
        return await store.FindAsync(session, name, cancellation);
    }

    /// <summary>A concept from two sets of images.</summary>
    /// <param name="sets">{"with": [image, …], "without": [image, …]}</param>
    public async Task<Concept> ExampleAsync(RequestContent content, string name, JsonNode? sets, ModelSession session, CancellationToken cancellation)
    {
        if (sets is not JsonObject both || both.Count != 2 || !both.ContainsKey("with") || !both.ContainsKey("without"))
            throw RequestException.Invalid($"The examples of {RequestContent.Shortened(name)} are not {{\"with\": [images], \"without\": [images]}}; give both sets.");
        return Concept.Find(name, await EncodeAsync("with"), await EncodeAsync("without"));

        async Task<float[][]> EncodeAsync(string side)
        {
            var set = await images.ReadAllAsync(content, both[side], $"{name}.{side}", session.Shape, cancellation);
            return (await session.EncodeAsync(set, content.Labels(session, set.Count), cancellation)).Mean;
        }
    }

    /// <summary>What strength 1 of a concept adds, in the direction that the request wants.</summary>
    public static float[] DirectionOf(RequestContent content, Concept concept) =>
        content.Choice(Field.Direction) == "logistic" ? concept.Logistic : Arithmetic.Sum([(concept.Unit, concept.Mean)]);

    async Task<LatentPoint> ReadOneAsync(RequestContent content, JsonNode? node, string place, ModelSession session, bool inSum, CancellationToken cancellation)
    {
        if (node is JsonValue text && text.TryGetValue<string>(out _))
            return new([], 1, await images.ReadOneAsync(content, node, place, session.Shape, cancellation));
        if (node is JsonArray)
            return new(Vector(node, place, session.LatentSize), 1, null);
        if (node is not JsonObject point || point.Count(pair => Kinds.Contains(pair.Key)) != 1 || point.Any(pair => !Kinds.Contains(pair.Key) && !(inSum && pair.Key == "weight")))
            throw RequestException.Invalid($"{place} is not understood; give one of image, latent, seed{(inSum ? " or concept, and perhaps a weight" : "")}.");
        var weight = 1f;
        if (point.TryGetPropertyValue("weight", out var given) && !(JsonNumbers.TryFloat(given, out weight) && Math.Abs(weight) <= 1000))
            throw RequestException.Invalid($"{place}.weight is {RequestContent.Shortened(given?.ToJsonString() ?? "null")}; give a number from -1000 to 1000.");
        if (point.TryGetPropertyValue("image", out var image))
            return new([], weight, await images.ReadOneAsync(content, image, $"{place}.image", session.Shape, cancellation));
        if (point.TryGetPropertyValue("latent", out var latent))
            return new(Vector(latent, $"{place}.latent", session.LatentSize), weight, null);
        if (point.TryGetPropertyValue("seed", out var seed))
            return new(await SeededAsync(seed, $"{place}.seed", session, cancellation), weight, null);
        if (!inSum)
            throw RequestException.Invalid($"{place} is a concept, which is a direction and no place; use arithmetic or edit for it.");
        if (point["concept"] is not JsonValue named || !named.TryGetValue<string>(out var concept))
            throw RequestException.Invalid($"{place}.concept is no text; give a concept's name.");
        return new(DirectionOf(content, await ConceptAsync(content, concept, session, cancellation)), weight, null);
    }

    static async Task<float[]> SeededAsync(JsonNode? node, string place, ModelSession session, CancellationToken cancellation)
    {
        if (node is not JsonValue value || !value.TryGetValue<long>(out var seed) || seed < 0 || seed > Field.LargestSeed)
            throw RequestException.Invalid($"{place} is {RequestContent.Shortened(node?.ToJsonString() ?? "null")}; give a whole number from 0 to {Field.LargestSeed}.");
        return (await session.DrawAsync(1, (ulong)seed, 1, cancellation))[0];
    }

    static async Task<IReadOnlyList<LatentPoint>> EncodedAsync(RequestContent content, List<LatentPoint> points, ModelSession session, CancellationToken cancellation)
    {
        FittedImage[] shown = [.. points.Select(point => point.Image).OfType<FittedImage>()];
        if (shown is [])
            return points;
        var label = content[Field.Label] is JsonArray ? throw RequestException.Invalid("label is an array; here one label holds for the whole request.") : content.Labels(session, shown.Length);
        var means = new Queue<float[]>((await session.EncodeAsync(shown, label, cancellation)).Mean);
        return [.. points.Select(point => point.Image is null ? point : point with { Latent = means.Dequeue() })];
    }

    static float[] Vector(JsonNode? node, string place, int latentSize)
    {
        if (node is not JsonArray array || array.Count != latentSize)
            throw RequestException.Invalid($"{place} has {(node as JsonArray)?.Count.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "no"} numbers; the model's latent vectors have {latentSize}.");
        return [.. array.Select((item, i) => JsonNumbers.TryFloat(item, out var number)
            ? number
            : throw RequestException.Invalid($"{place}[{i}] is {RequestContent.Shortened(item?.ToJsonString() ?? "null")}; give finite numbers."))];
    }
}
