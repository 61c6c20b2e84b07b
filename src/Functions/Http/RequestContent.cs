using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using VaeFunctions.Imaging;

namespace VaeFunctions.Serving;

/// <summary>The named values of a request, wherever they stand: in the query, a JSON body, a form, or as the one raw image. Unknown names are refused.</summary>
/// <remarks>A file of a form is the value of the field that it is named after, or is asked for as <c>part:NAME</c>.</remarks>
public sealed class RequestContent
{
    public const string PartPrefix = "part:";

    readonly Dictionary<string, JsonNode?> values = new(StringComparer.Ordinal);
    readonly Dictionary<string, byte[]> parts = new(StringComparer.Ordinal);
    readonly Field[] known;

    RequestContent(Field[] known) => this.known = known;

    /// <summary>Reads all of a request; <see cref="LimitedBody"/> limits its length.</summary>
    /// <param name="known">What it may hold. A raw body is the value of the first that takes images.</param>
    /// <exception cref="RequestException">400: broken, an unknown name, or one given twice. 413: too long. 415: another content type.</exception>
    public static async Task<RequestContent> ReadAsync(HttpRequest request, Field[] known, CancellationToken cancellation)
    {
        var content = new RequestContent(known);
        // `code` is the function key, which Azure's host reads.
        foreach (var (name, value) in request.Query.Where(pair => pair.Key is not "code"))
            content.Add(name, value is [var one] ? FromText(one) : throw Twice(name));
        if (request.ContentType is null && request.ContentLength is null or 0 && !request.Headers.TransferEncoding.Contains("chunked"))
            return content;
        var type = MediaTypeHeaderValue.TryParse(request.ContentType, out var parsed) ? parsed : null;
        switch (type?.MediaType.Value?.ToLowerInvariant())
        {
            case "multipart/form-data" when content.TakesFiles:
                await content.ReadFormAsync(request.Body, HeaderUtilities.RemoveQuotes(type!.Boundary).Value, cancellation);
                break;
            case var media:
                var body = await ReadAsync(request.Body, cancellation);
                // The content is looked at whatever the media type says: clients name images in many ways, or not at all.
                var isImage = media?.StartsWith("image/", StringComparison.Ordinal) == true || ImageFormats.Of(body) is not null;
                if (isImage && content.ImageField is { } field)
                    content.AddFile(field.Name, body);
                else if (media == "application/json")
                    await content.ReadJsonAsync(new MemoryStream(body), cancellation);
                else
                    throw new RequestException(StatusCodes.Status415UnsupportedMediaType, $"Content-Type is \"{request.ContentType}\"; send {content.Accepted}.");
                break;
        }
        return content;
    }

    public bool Has(Field field) => values.ContainsKey(field.Name);

    /// <summary>A field's value as it came; null where it is not given.</summary>
    public JsonNode? this[Field field] => values.GetValueOrDefault(field.Name);

    /// <summary>A file of the form, or null.</summary>
    public byte[]? Part(string name) => parts.GetValueOrDefault(name);

    /// <summary>A whole number, or null where it is not given.</summary>
    public long? Whole(Field field)
    {
        if (Text(field) is not { } text)
            return null;
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= field.Least && value <= field.Most
            ? value
            : throw Wrong(field, text);
    }

    public int Whole(Field field, int otherwise) => (int)(Whole(field) ?? otherwise);

    /// <summary>A number, or the default where it is not given.</summary>
    public double Number(Field field, double otherwise)
    {
        if (Text(field) is not { } text)
            return otherwise;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= field.Least && value <= field.Most
            ? value
            : throw Wrong(field, text);
    }

    /// <summary>One of a field's words; the first where it is not given.</summary>
    public string Choice(Field field)
    {
        var text = Text(field) ?? field.Choices[0];
        return field.Choices.Contains(text) ? text : throw Wrong(field, text);
    }

    /// <summary>A few numbers, or null where they are not given.</summary>
    public float[]? Numbers(Field field, int most)
    {
        if (this[field] is not { } node)
            return null;
        if (node is not JsonArray { Count: > 0 } array || array.Count > most)
            throw Wrong(field, $"{Shortened(node.ToJsonString())}, with at most {most}");
        return [.. array.Select((item, i) => JsonNumbers.TryFloat(item, out var value) && value >= field.Least && value <= field.Most
            ? value
            : throw Wrong(field, $"{Shortened(item?.ToJsonString() ?? "null")} at place {i}"))];
    }

    /// <summary>The seed that was given, or one drawn now.</summary>
    public long SeedOrRandom() => Whole(Field.Seed) ?? Random.Shared.NextInt64(int.MaxValue);

    public string? Text(Field field) => this[field] switch
    {
        null => null,
        JsonValue value => Shortened(value.ToString()),
        var other => Shortened(other.ToJsonString()),
    };

    public static RequestException Wrong(Field field, string found) => RequestException.Invalid($"{field.Name} is {found}; give {Sentence(field.Expected)}");

    public static RequestException Missing(Field field) => RequestException.Invalid($"\"{field.Name}\" is missing; give {Sentence(field.Description)}");

    /// <summary>The end of a sentence, from a text of its own.</summary>
    static string Sentence(string text) => $"{char.ToLowerInvariant(text[0])}{text[1..].TrimEnd('.')}.";

    public static string Shortened(string text) => text.Length <= 40 ? text : text[..40] + "…";

    Field? ImageField => known.FirstOrDefault(known => known.Type is FieldType.Images or FieldType.Image or FieldType.Points);

    bool TakesFiles => known.Any(known => known.Type is FieldType.Images or FieldType.Image or FieldType.Points or FieldType.Examples);

    string Accepted
    {
        get
        {
            var names = known.Length > 0 ? $" with {string.Join(", ", known.Select(known => known.Name))}" : "";
            return (TakesFiles, ImageField) switch
            {
                (true, not null) => $"an image ({ImageFormats.Names}) of any media type, several as multipart/form-data, or application/json{names}",
                (true, null) => $"multipart/form-data or application/json{names}",
                _ => $"application/json{names}, or no body at all",
            };
        }
    }

    async Task ReadJsonAsync(Stream body, CancellationToken cancellation)
    {
        JsonNode? node;
        try
        {
            var options = new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 8 };
            node = await JsonNode.ParseAsync(body, documentOptions: options, cancellationToken: cancellation);
            ReadTexts(node);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException || (fault is IOException and not BadHttpRequestException))
        {
            throw RequestException.Invalid($"The body is not JSON: {fault.Message}", fault);
        }
        if (node is not JsonObject fields)
            throw RequestException.Invalid($"The body is JSON but no object; send {{ … }} with {string.Join(", ", known.Select(field => field.Name))}.");
        foreach (var (name, value) in fields)
            Add(name, value);
    }

    /// <summary>Decodes every name and text now: a parsed tree does so only when they are asked for, and broken UTF-8 throws there.</summary>
    static void ReadTexts(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject fields:
                foreach (var (_, value) in fields) ReadTexts(value);
                break;
            case JsonArray items:
                foreach (var item in items) ReadTexts(item);
                break;
            case JsonValue value:
                value.TryGetValue<string>(out _);
                break;
        }
    }

    async Task ReadFormAsync(Stream body, string? boundary, CancellationToken cancellation)
    {
        if (string.IsNullOrEmpty(boundary) || boundary.Length > 200)
            throw RequestException.Invalid("Content-Type is multipart/form-data without a usable boundary; let the HTTP library write that header.");
        var reader = new MultipartReader(boundary, body);
        while (await NextAsync(reader, cancellation) is { } part)
        {
            var header = part.GetContentDispositionHeader();
            var name = header is null ? null : HeaderUtilities.RemoveQuotes(header.Name).Value;
            if (string.IsNullOrEmpty(name))
                throw RequestException.Invalid("A part of the form has no name; give each a Content-Disposition with one.");
            var content = await ReadAsync(part.Body, cancellation);
            if (header!.IsFileDisposition())
                AddFile(name, content);
            else
                Add(name, FromText(System.Text.Encoding.UTF8.GetString(content)));
        }
        var asked = string.Join('\n', values.Values.Select(value => value?.ToJsonString()));
        if (parts.Keys.FirstOrDefault(name => !asked.Contains(PartPrefix + name, StringComparison.Ordinal)) is { } idle)
            throw RequestException.Invalid($"The form's file \"{Shortened(idle)}\" is not asked for; name it after a field ({string.Join(", ", known.Select(field => field.Name))}) or mention {PartPrefix}{Shortened(idle)} in one.");
    }

    static async Task<MultipartSection?> NextAsync(MultipartReader reader, CancellationToken cancellation)
    {
        try
        {
            return await reader.ReadNextSectionAsync(cancellation);
        }
        catch (Exception fault) when (fault is InvalidDataException || (fault is IOException and not BadHttpRequestException))
        {
            throw RequestException.Invalid($"The multipart body is broken: {fault.Message}", fault);
        }
    }

    static async Task<byte[]> ReadAsync(Stream body, CancellationToken cancellation)
    {
        using var memory = new MemoryStream();
        try
        {
            await body.CopyToAsync(memory, cancellation);
        }
        catch (Exception fault) when (fault is InvalidDataException || (fault is IOException and not BadHttpRequestException))
        {
            throw RequestException.Invalid($"The body ends too early: {fault.Message}", fault);
        }
        return memory.ToArray();
    }

    void AddFile(string name, byte[] content)
    {
        var field = known.FirstOrDefault(field => field.Name == name);
        var isList = field is { Type: FieldType.Images or FieldType.Points };
        var part = isList ? $"{name}[{parts.Count}]" : name;
        if (!parts.TryAdd(part, content))
            throw Twice(name);
        if (isList && values.GetValueOrDefault(name) is JsonArray list)
            list.Add(PartPrefix + part);
        else if (isList)
            Add(name, new JsonArray(PartPrefix + part));
        else if (field is not null)
            Add(name, JsonValue.Create(PartPrefix + part));
    }

    void Add(string name, JsonNode? value)
    {
        if (known.All(field => field.Name != name))
            throw RequestException.Invalid($"\"{Shortened(name)}\" is not known here; there is {(known.Length > 0 ? string.Join(", ", known.Select(field => field.Name)) : "nothing to give")}.");
        if (!values.TryAdd(name, value))
            throw Twice(name);
    }

    /// <summary>Text that looks like a JSON array or object is one; all else is text.</summary>
    static JsonNode? FromText(string? text)
    {
        if (text?.TrimStart() is ['[' or '{', ..])
        {
            try
            {
                var node = JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 8 });
                ReadTexts(node);
                return node;
            }
            catch (Exception fault) when (fault is JsonException or InvalidOperationException)
            {
                throw RequestException.Invalid($"{Shortened(text)} begins like JSON but is not: {fault.Message}", fault);
            }
        }
        return JsonValue.Create(text);
    }

    static RequestException Twice(string name) => RequestException.Invalid($"\"{Shortened(name)}\" is given more than once; give it once, in the query or in the body.");
}

static class JsonNumbers
{
    /// <summary>A finite number that a float holds.</summary>
    public static bool TryFloat(JsonNode? node, out float number)
    {
        number = 0;
        if (node is not JsonValue value || value.GetValueKind() is not JsonValueKind.Number || !value.TryGetValue<double>(out var wide))
            return false;
        number = (float)wide;
        return float.IsFinite(number);
    }
}
