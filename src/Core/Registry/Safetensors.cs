using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using VaeFunctions.Tensors;

namespace VaeFunctions.Registry;

/// <summary>The safetensors format: the header's length (8 bytes, little-endian), a JSON header, then the tensors'
/// bytes.</summary>
/// <remarks>Reading takes nothing on trust: every number of the header is checked against the file before it is used.
/// https://github.com/huggingface/safetensors#format</remarks>
public static class Safetensors
{
    const int MaxHeader = 100_000_000; // the reference implementation's limit
    const string MetadataKey = "__metadata__";

    static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 8 };

    /// <summary>Names keep their order in the header; the data goes by falling element size, so that every tensor is
    /// aligned. The metadata begin with a <see cref="Seal"/>.</summary>
    /// <exception cref="CheckpointException">Two tensors share a name, or together they exceed 2 GB.</exception>
    public static BinaryData Write(IEnumerable<NamedTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        NamedTensor[] named = [.. tensors];
        NamedTensor[] laidOut = [.. named.OrderByDescending(tensor => tensor.Type.Size)];

        var offsets = new Dictionary<string, long>(StringComparer.Ordinal);
        long dataLength = 0;
        foreach (var tensor in laidOut)
        {
            if (tensor.Name == MetadataKey || !offsets.TryAdd(tensor.Name, dataLength))
                throw new CheckpointException(
                    $"Two tensors are called \"{tensor.Name}\", or the format reserves that name; rename one.");
            dataLength += tensor.Data.Length;
        }

        var header = Header(named, offsets, metadata);
        var dataStart = 8 + header.Length;
        if (dataStart + dataLength > Array.MaxLength)
            throw new CheckpointException(
                $"The tensors take {dataLength} bytes; one file holds at most {Array.MaxLength - dataStart}.");

        var file = new byte[dataStart + dataLength];
        BinaryPrimitives.WriteInt64LittleEndian(file, header.Length);
        header.CopyTo(file, 8);
        foreach (var tensor in laidOut) tensor.Data.Span.CopyTo(file.AsSpan(dataStart + (int)offsets[tensor.Name]));
        Seal.Close(file);
        return new BinaryData(file);
    }

    /// <summary>Reads a whole file; the tensors share its memory. One that is sealed is checked to the last bit, and its seal is
    /// none of the metadata; other programs' files have none.</summary>
    /// <exception cref="CheckpointException">The file is truncated, damaged or not of this format.</exception>
    public static SafetensorsFile Read(BinaryData content)
    {
        var file = content.ToMemory();
        if (file.Length < 8)
            throw Damaged($"it has {file.Length} bytes, fewer than the 8 that give the header's length");
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(file.Span);
        if (headerLength > MaxHeader)
            throw Damaged($"it begins with a header length of {headerLength} bytes, above the format's limit of {MaxHeader}; "
                + "is it another kind of file?");
        if (headerLength > (ulong)file.Length - 8)
            throw Damaged(
                $"its header is {headerLength} bytes long, but only {file.Length - 8} bytes follow; the file is truncated");

        using var header = Parse(file.Slice(8, (int)headerLength));
        var data = file[(8 + (int)headerLength)..];
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var ranges = new List<(NamedTensor Tensor, int Begin, int End)>();
        try
        {
            foreach (var entry in header.RootElement.EnumerateObject())
            {
                if (entry.Name == MetadataKey) ReadMetadata(entry.Value, metadata);
                else ranges.Add(ReadTensor(entry.Name, entry.Value, data));
            }
        }
        catch (InvalidOperationException e)
        {
            throw Damaged("its header is not valid JSON: a text in it is not Unicode", e);
        }
        CheckThatDataIsCovered(ranges, data.Length);
        if (metadata.Remove(Seal.Key, out var seal) && !Seal.Holds(seal, file.Span))
            throw Damaged("its bytes are not those that were written; their SHA-256 is another. Take another copy of it");
        return new SafetensorsFile([.. ranges.Select(range => range.Tensor)], metadata);
    }

    static byte[] Header(NamedTensor[] tensors, Dictionary<string, long> offsets, IReadOnlyDictionary<string, string>? metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject(MetadataKey);
            json.WriteString(Seal.Key, Seal.Open);
            foreach (var (key, value) in metadata ?? new Dictionary<string, string>()) json.WriteString(key, value);
            json.WriteEndObject();
            foreach (var tensor in tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.Type.ToString().ToUpperInvariant());
                json.WriteStartArray("shape");
                foreach (var axis in tensor.Shape.Axes) json.WriteNumberValue(axis);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offsets[tensor.Name]);
                json.WriteNumberValue(offsets[tensor.Name] + tensor.Data.Length);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        var padded = new byte[(buffer.WrittenCount + 7) / 8 * 8]; // spaces up to the data, which begins on a multiple of 8
        padded.AsSpan().Fill((byte)' ');
        buffer.WrittenSpan.CopyTo(padded);
        return padded;
    }

    static JsonDocument Parse(ReadOnlyMemory<byte> header)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(header, Strict);
        }
        catch (JsonException e)
        {
            throw Damaged($"its header is not valid JSON: {e.Message.TrimEnd('.')}", e);
        }
        if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
        using (document) throw Damaged($"its header is a JSON {document.RootElement.ValueKind}, not an object");
    }

    static void ReadMetadata(JsonElement value, Dictionary<string, string> metadata)
    {
        if (value.ValueKind != JsonValueKind.Object)
            throw Damaged($"{MetadataKey} is a JSON {value.ValueKind}, not an object of strings");
        foreach (var entry in value.EnumerateObject())
            metadata[entry.Name] = entry.Value.ValueKind == JsonValueKind.String
                ? entry.Value.GetString()!
                : throw Damaged($"{MetadataKey}.{entry.Name} is a JSON {entry.Value.ValueKind}, not a string");
    }

    static (NamedTensor Tensor, int Begin, int End) ReadTensor(string name, JsonElement entry, ReadOnlyMemory<byte> data)
    {
        var type = ReadType(name, Member(name, entry, "dtype", JsonValueKind.String).GetString()!);
        var shape = ReadShape(name, Member(name, entry, "shape", JsonValueKind.Array));
        var offsets = Member(name, entry, "data_offsets", JsonValueKind.Array);

        if (offsets.GetArrayLength() != 2 || !TryGetWhole(offsets[0], out var begin) || !TryGetWhole(offsets[1], out var end)
            || begin > end)
            throw Damaged($"tensor \"{name}\" has data_offsets {offsets}; two whole numbers, begin ≤ end, were expected");
        if (end > data.Length)
            throw Damaged(
                $"tensor \"{name}\" ends at byte {end} of the data, but there are only {data.Length}; the file is truncated");
        if (end - begin != (long)shape.Count * type.Size)
            throw Damaged($"tensor \"{name}\" has {end - begin} bytes, but {type} {shape} takes {(long)shape.Count * type.Size}");
        return (new NamedTensor(name, type, shape, data[(int)begin..(int)end]), (int)begin, (int)end);
    }

    static ElementType ReadType(string name, string text)
    {
        foreach (var type in Enum.GetValues<ElementType>())
            if (type.ToString().Equals(text, StringComparison.OrdinalIgnoreCase)) return type;
        throw Damaged($"tensor \"{name}\" is of type {text}; known are {string.Join(", ", Enum.GetNames<ElementType>())}");
    }

    static Shape ReadShape(string name, JsonElement axes)
    {
        const int maxRank = 64;
        var extents = new int[Math.Min(axes.GetArrayLength(), maxRank)];
        for (var i = 0; i < extents.Length; i++)
            extents[i] = TryGetWhole(axes[i], out var extent) && extent <= int.MaxValue ? (int)extent : throw Wrong();
        if (axes.GetArrayLength() > maxRank) throw Wrong();
        try
        {
            return new Shape(extents);
        }
        catch (ShapeException)
        {
            throw Wrong();
        }

        CheckpointException Wrong() => Damaged($"tensor \"{name}\" has shape {Shorten(axes)}; "
            + $"at most {maxRank} whole numbers whose product is at most {int.MaxValue} were expected");
    }

    static JsonElement Member(string name, JsonElement entry, string key, JsonValueKind kind)
    {
        if (entry.ValueKind != JsonValueKind.Object || !entry.TryGetProperty(key, out var value))
            throw Damaged($"the header's entry for tensor \"{name}\" has no {key}");
        return value.ValueKind == kind
            ? value
            : throw Damaged($"tensor \"{name}\" has {key} {Shorten(value)}; a JSON {kind} was expected");
    }

    /// <summary>Every byte of the data belongs to exactly one tensor.</summary>
    static void CheckThatDataIsCovered(List<(NamedTensor Tensor, int Begin, int End)> ranges, int length)
    {
        var covered = 0;
        foreach (var (tensor, begin, end) in ranges.OrderBy(range => range.Begin).ThenBy(range => range.End))
        {
            if (begin != covered)
                throw Damaged(begin < covered
                    ? $"tensor \"{tensor.Name}\" begins at byte {begin} of the data, inside another that ends at {covered}"
                    : $"bytes {covered} to {begin} of the data, before tensor \"{tensor.Name}\", belong to no tensor");
            covered = end;
        }
        if (covered != length) throw Damaged($"bytes {covered} to {length} at the end of the data belong to no tensor");
    }

    static bool TryGetWhole(JsonElement value, out long number)
    {
        number = 0;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out number) && number >= 0;
    }

    static string Shorten(JsonElement value) =>
        value.GetRawText() is { Length: > 100 } text ? text[..100] + "…" : value.GetRawText();

    static CheckpointException Damaged(string what, Exception? inner = null) =>
        new($"This is not a sound safetensors file: {what}.", inner);
}
