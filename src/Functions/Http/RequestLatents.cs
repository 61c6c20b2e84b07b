using System.Text.Json.Nodes;
using VaeFunctions.Imaging;
using VaeFunctions.Latent;

namespace VaeFunctions.Serving;

/// <summary>A place in the latent space that a request names, with the weight that sums give it, and the image it came from, if
/// it did.</summary>
public sealed record LatentPoint(float[] Latent, float Weight, FittedImage? Image)
{
    /// <summary>The images among some points, in order.</summary>
    public static FittedImage[] ImagesOf(IEnumerable<LatentPoint> points) =>
        [.. points.Select(point => point.Image).OfType<FittedImage>()];
}

/// <summary>Turns what requests name, images, latents, seeds and concepts, into latent vectors.</summary>
public sealed class RequestLatents(RequestImages images, ConceptStore store)
{
    static readonly string[] Kinds = ["image", "latent", "seed", "concept"];

    /// <summary>The points of a field, in order; all images are encoded in one batch.</summary>
    /// <param name="inSum">Whether concepts and weights mean something.</param>
    /// <exception cref="RequestException">400: none, too many, or one that cannot be understood.</exception>
    public async Task<IReadOnlyList<LatentPoint>> ReadAsync(ModelCall call, Field field, bool inSum)
    {
        if (call.Content[field] is not JsonArray array)
        {
            throw call.Content.Has(field)
                ? RequestContent.Wrong(field, RequestContent.Shortened(call.Content.Text(field) ?? "null"))
                : RequestContent.Missing(field);
        }
        call.Content.CheckImages(array.Count);
        var points = new List<LatentPoint>(array.Count);
        foreach (var (i, item) in array.Index())
            points.Add(await ReadOneAsync(call, item, $"{field.Name}[{i}]", inSum));
        return await EncodedAsync(call, points);
    }

    /// <summary>Latent vectors of a field: [[…], …] or, for one, […]; at most as many as an answer may hold.</summary>
    public static float[][] Vectors(ModelCall call, Field field)
    {
        var (node, latentSize, most) = (call.Content[field], call.Session.LatentSize, call.Options.MaxSampleCount);
        if (node is JsonArray { Count: > 0 } flat && flat[0] is JsonValue)
            return [Vector(flat, field.Name, latentSize)];
        if (node is not JsonArray { Count: > 0 } array)
            throw RequestException.Invalid($"\"{field.Name}\" is missing or no array; give [[{latentSize} numbers], …].");
        if (array.Count > most)
            throw new RequestException(StatusCodes.Status413PayloadTooLarge,
                $"{field.Name} has {array.Count} vectors; give at most {most}.");
        return [.. array.Select((item, i) => Vector(item, $"{field.Name}[{i}]", latentSize))];
    }

    /// <summary>The concepts of a request by name: its own examples first, then those of the model.</summary>
    public async Task<Concept> ConceptAsync(ModelCall call, string name)
    {
        if (call.Content[Field.Examples] is { } examples)
        {
            if (examples is not JsonObject byName)
                throw RequestContent.Wrong(Field.Examples, RequestContent.Shortened(examples));
            if (byName.TryGetPropertyValue(name, out var own))
                return call.Used(await ExampleAsync(call, name, own));
        }
        return call.Used(await store.FindAsync(call.Session, name, call.Cancellation));
    }

    /// <summary>A concept from two sets of images.</summary>
    /// <param name="sets">{"with": [image, …], "without": [image, …]}</param>
    public async Task<Concept> ExampleAsync(ModelCall call, string name, JsonNode? sets)
    {
        if (sets is not JsonObject both || both.Count != 2 || !both.ContainsKey("with") || !both.ContainsKey("without"))
        {
            throw RequestException.Invalid($"The examples of {RequestContent.Shortened(name)} are not "
                + "{\"with\": [images], \"without\": [images]}; give both sets.");
        }
        return Concept.Find(name, await EncodeAsync("with"), await EncodeAsync("without"));

        async Task<float[][]> EncodeAsync(string side)
        {
            var set = await images.ReadAllAsync(
                call.Content, both[side], $"{name}.{side}", call.Session.Input, call.Cancellation);
            return (await call.EncodeAsync(set, call.Labels(set.Count))).Mean;
        }
    }

    /// <summary>What strength 1 of a concept adds, in the direction that the request wants.</summary>
    public static float[] DirectionOf(ModelCall call, Concept concept) =>
        call.Content.Choice(Field.Direction) == "logistic" ? concept.Logistic : Arithmetic.Sum([(concept.Unit, concept.Mean)]);

    async Task<LatentPoint> ReadOneAsync(ModelCall call, JsonNode? node, string place, bool inSum)
    {
        if (node is JsonValue text && text.TryGetValue<string>(out _))
            return new([], 1, await ImageAsync(node, place));
        if (node is JsonArray)
            return new(Vector(node, place, call.Session.LatentSize), 1, null);
        if (node is not JsonObject point || point.Count(pair => Kinds.Contains(pair.Key)) != 1
            || point.Any(pair => !Kinds.Contains(pair.Key) && !(inSum && pair.Key == "weight")))
        {
            throw RequestException.Invalid(
                $"{place} is not understood; give one of image, latent, seed"
                + $"{(inSum ? " or concept, and perhaps a weight" : "")}.");
        }
        var weight = 1f;
        if (point.TryGetPropertyValue("weight", out var given)
            && !(JsonNumbers.TryFloat(given, out weight) && Math.Abs(weight) <= 1000))
            throw RequestException.Invalid(
                $"{place}.weight is {RequestContent.Shortened(given)}; give a number from -1000 to 1000.");
        if (point.TryGetPropertyValue("image", out var image))
            return new([], weight, await ImageAsync(image, $"{place}.image"));
        if (point.TryGetPropertyValue("latent", out var latent))
            return new(Vector(latent, $"{place}.latent", call.Session.LatentSize), weight, null);
        if (point.TryGetPropertyValue("seed", out var seed))
            return new(await SeededAsync(call, seed, $"{place}.seed"), weight, null);
        if (!inSum)
            throw RequestException.Invalid(
                $"{place} is a concept, which is a direction and no place; use arithmetic or edit for it.");
        if (point["concept"] is not JsonValue named || !named.TryGetValue<string>(out var concept))
            throw RequestException.Invalid($"{place}.concept is no text; give a concept's name.");
        return new(DirectionOf(call, await ConceptAsync(call, concept)), weight, null);

        Task<FittedImage> ImageAsync(JsonNode? source, string where) =>
            images.ReadOneAsync(call.Content, source, where, call.Session.Input, call.Cancellation);
    }

    static async Task<float[]> SeededAsync(ModelCall call, JsonNode? node, string place)
    {
        if (node is not JsonValue value || !value.TryGetValue<long>(out var seed) || seed < 0 || seed > Field.LargestSeed)
        {
            throw RequestException.Invalid(
                $"{place} is {RequestContent.Shortened(node)}; give a whole number from 0 to {Field.LargestSeed}.");
        }
        return (await call.Session.DrawAsync(1, (ulong)seed, 1, call.Cancellation))[0];
    }

    static async Task<IReadOnlyList<LatentPoint>> EncodedAsync(ModelCall call, List<LatentPoint> points)
    {
        var shown = LatentPoint.ImagesOf(points);
        if (shown is [])
            return points;
        if (call.Content[Field.Label] is JsonArray)
            throw RequestException.Invalid("label is an array; here one label holds for the whole request.");
        var means = new Queue<float[]>((await call.EncodeAsync(shown, call.Labels(shown.Length))).Mean);
        return [.. points.Select(point => point.Image is null ? point : point with { Latent = means.Dequeue() })];
    }

    static float[] Vector(JsonNode? node, string place, int latentSize)
    {
        if (node is not JsonArray array || array.Count != latentSize)
        {
            var count = node is JsonArray other ? $"{other.Count}" : "no";
            throw RequestException.Invalid($"{place} has {count} numbers; the model's latent vectors have {latentSize}.");
        }
        return [.. array.Select((item, i) => JsonNumbers.TryFloat(item, out var number)
            ? number
            : throw RequestException.Invalid($"{place}[{i}] is {RequestContent.Shortened(item)}; give finite numbers."))];
    }
}
