using System.Runtime.InteropServices;
using System.Text.Json;
using VaeFunctions.Registry;
using VaeFunctions.Tensors;

namespace VaeFunctions.Evaluation;

/// <summary>A map as it is published: its numbers in map.safetensors, and what they mean in map.json. docs/blob-layout.md has
/// both.</summary>
public static class LatentMapFile
{
    public const string Numbers = "map.safetensors", Description = "map.json";

    static readonly JsonSerializerOptions json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Positions in 16 bits, latents in 8 with a step for each: a fifth of a grey level, on average, once they are
    /// decoded.</summary>
    public static BinaryData WriteNumbers(LatentMap map)
    {
        var (count, size) = (map.Count, map.LatentSize);
        var tensors = new List<NamedTensor>
        {
            new("positions", ElementType.I16, new(count, 2),
                Bytes<short>([.. map.Positions.Select(value => (short)MathF.Round(value * short.MaxValue))])),
            new("colours", ElementType.U8, new(count, 3), map.Colours),
        };
        if (map.Codes is { } codes)
        {
            tensors.Add(new("codes", ElementType.U16, new(count, codes.Length / count),
                Bytes<ushort>([.. codes.Select(code => (ushort)code)])));
            var depth = size / (codes.Length / count);
            tensors.Add(new("codebook", new Shape(map.Codebook!.Length / depth, depth), map.Codebook));
        }
        else
        {
            float[] steps = [.. Enumerable.Range(0, size).Select(latent =>
                Enumerable.Range(0, count).Max(i => MathF.Abs(map.Latents[i * size + latent])) / sbyte.MaxValue)];
            sbyte[] whole = [.. map.Latents.Select((value, i) =>
                steps[i % size] > 0 ? (sbyte)MathF.Round(value / steps[i % size]) : (sbyte)0)];
            tensors.Add(new("latents", ElementType.I8, new(count, size), Bytes<sbyte>(whole)));
            tensors.Add(new("steps", new Shape(size), steps));
        }
        if (map.Images.Labels is { } labels)
            tensors.Add(new("labels", ElementType.U16, new(count), Bytes<ushort>([.. labels.Select(label => (ushort)label)])));
        if (map.Images.Attributes is { } attributes)
        {
            var ranges = Ranges(attributes);
            byte[] values = [.. attributes.Cast<float>().Select((value, i) => ranges[i % ranges.Length].ToByte(value))];
            tensors.Add(new("attributes", ElementType.U8, new(count, ranges.Length), values));
        }
        return Safetensors.Write(tensors, new Dictionary<string, string>());
    }

    public static BinaryData WriteDescription(LatentMap map) => BinaryData.FromBytes(JsonSerializer.SerializeToUtf8Bytes(new
    {
        Format = 1,
        map.Count,
        map.Explained,
        map.KlPerLatent,
        Attributes = map.Images.Attributes is { } attributes
            ? Ranges(attributes)
                .Select((range, i) => new { Name = map.Images.AttributeNames[i], range.Low, range.High })
                .ToArray()
            : [],
    }, json));

    static Range[] Ranges(float[,] attributes) => [.. Enumerable.Range(0, attributes.GetLength(1)).Select(column =>
    {
        float[] known = [.. Enumerable.Range(0, attributes.GetLength(0)).Select(row => attributes[row, column])
            .Where(float.IsFinite)];
        return known is [] ? new Range(0, 0) : new Range(known.Min(), known.Max());
    })];

    static byte[] Bytes<T>(T[] values) where T : unmanaged => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

    readonly record struct Range(float Low, float High)
    {
        /// <summary>A value that is not known is drawn as the lowest.</summary>
        public byte ToByte(float value) => High > Low && float.IsFinite(value)
            ? (byte)MathF.Round((value - Low) / (High - Low) * 255)
            : (byte)0;
    }
}
