using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using VaeFunctions.Imaging;

namespace VaeFunctions.Serving;

/// <summary>Reads the fields of a request, wherever they stand: in the query, a JSON body, a form, or as the one raw
/// image.</summary>
static class RequestReader
{
    static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 8 };

    /// <summary>Reads all of a request; <see cref="LimitedBody"/> limits its length.</summary>
    /// <param name="known">What it may hold. A raw body is the value of the first that takes images.</param>
    /// <param name="maxImages">The most images that a field may hold.</param>
    /// <exception cref="RequestException">400: broken, an unknown name, or one given twice. 413: too long, or too many images.
    /// 415: another content type.</exception>
    public static async Task<RequestContent> ReadAsync(
        HttpRequest request, Field[] known, int maxImages, CancellationToken cancellation)
    {
        var content = new RequestContent(known, maxImages);
        // `code` is the function key, which Azure's host reads.
        foreach (var (name, value) in request.Query.Where(pair => pair.Key is not "code"))
            content.Add(name, value is [var one] ? FromText(one) : throw RequestContent.Twice(name));
        if (request.ContentType is null && request.ContentLength is null or 0
            && !request.Headers.TransferEncoding.Contains("chunked"))
            return content;
        var type = MediaTypeHeaderValue.TryParse(request.ContentType, out var parsed) ? parsed : null;
        switch (type?.MediaType.Value?.ToLowerInvariant())
        {
            case "multipart/form-data" when known.Any(field => field.TakesFiles):
                await ReadFormAsync(content, request.Body, HeaderUtilities.RemoveQuotes(type!.Boundary).Value, cancellation);
                break;
            case var media:
                var body = await ReadBytesAsync(request.Body, cancellation);
                // The content is looked at whatever the media type says: clients name images in many ways, or not at all.
                var isImage = media?.StartsWith("image/", StringComparison.Ordinal) == true || ImageFormats.Of(body) is not null;
                if (isImage && known.FirstOrDefault(field => field.TakesImages) is { } field)
                    content.AddFile(field.Name, body);
                else if (media == "application/json")
                    ReadJson(content, body);
                else
                {
                    throw new RequestException(StatusCodes.Status415UnsupportedMediaType,
                        $"Content-Type is \"{request.ContentType}\"; send {Accepted(known)}.");
                }
                break;
        }
        return content;
    }

    static string Accepted(Field[] known)
    {
        var json = known is [] ? "application/json" : $"application/json with {RequestContent.NamesOf(known)}";
        return known.Any(field => field.TakesImages)
                ? $"an image ({ImageFormats.Names}) of any media type, several as multipart/form-data, or {json}"
            : known.Any(field => field.TakesFiles) ? $"multipart/form-data or {json}"
            : $"{json}, or no body at all";
    }

    static void ReadJson(RequestContent content, byte[] body)
    {
        JsonNode? node;
        try
        {
            node = JsonNode.Parse(body, documentOptions: Strict);
            DecodeTexts(node);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            throw RequestException.Invalid($"The body is not JSON: {fault.Message}", fault);
        }
        if (node is not JsonObject fields)
            throw RequestException.Invalid(
                $"The body is JSON but no object; send {{ … }} with {RequestContent.NamesOf(content.Known)}.");
        foreach (var (name, value) in fields)
            content.Add(name, value);
    }

    /// <summary>Decodes every name and text now: a parsed tree does so only when they are asked for, and broken UTF-8 throws
    /// there.</summary>
    static void DecodeTexts(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject fields:
                foreach (var (_, value) in fields)
                    DecodeTexts(value);
                break;
            case JsonArray items:
                foreach (var item in items)
                    DecodeTexts(item);
                break;
            case JsonValue value:
                value.TryGetValue<string>(out _);
                break;
        }
    }

    static async Task ReadFormAsync(RequestContent content, Stream body, string? boundary, CancellationToken cancellation)
    {
        if (string.IsNullOrEmpty(boundary) || boundary.Length > 200)
        {
            throw RequestException.Invalid(
                "Content-Type is multipart/form-data without a usable boundary; let the HTTP library write that header.");
        }
        var reader = new MultipartReader(boundary, body);
        while (await NextAsync(reader, cancellation) is { } part)
        {
            var header = part.GetContentDispositionHeader();
            var name = header is null ? null : HeaderUtilities.RemoveQuotes(header.Name).Value;
            if (string.IsNullOrEmpty(name))
                throw RequestException.Invalid("A part of the form has no name; give each a Content-Disposition with one.");
            var bytes = await ReadBytesAsync(part.Body, cancellation);
            if (header!.IsFileDisposition())
                content.AddFile(name, bytes);
            else
                content.Add(name, FromText(Encoding.UTF8.GetString(bytes)));
        }
        content.CheckFiles();
    }

    static async Task<MultipartSection?> NextAsync(MultipartReader reader, CancellationToken cancellation)
    {
        try
        {
            return await reader.ReadNextSectionAsync(cancellation);
        }
        catch (Exception fault) when (IsBroken(fault))
        {
            throw RequestException.Invalid($"The multipart body is broken: {fault.Message}", fault);
        }
    }

    static async Task<byte[]> ReadBytesAsync(Stream body, CancellationToken cancellation)
    {
        using var memory = new MemoryStream();
        try
        {
            await body.CopyToAsync(memory, cancellation);
        }
        catch (Exception fault) when (IsBroken(fault))
        {
            throw RequestException.Invalid($"The body ends too early: {fault.Message}", fault);
        }
        return memory.ToArray();
    }

    /// <summary>Whether a body broke off or is not what it says; Kestrel's own refusals have a status of their own.</summary>
    static bool IsBroken(Exception fault) => fault is InvalidDataException or IOException and not BadHttpRequestException;

    /// <summary>Text that looks like a JSON array or object is one; all else is text.</summary>
    static JsonNode? FromText(string? text)
    {
        if (text?.TrimStart() is not ['[' or '{', ..])
            return JsonValue.Create(text);
        try
        {
            var node = JsonNode.Parse(text, documentOptions: Strict);
            DecodeTexts(node);
            return node;
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            throw RequestException.Invalid(
                $"{RequestContent.Shortened(text)} begins like JSON but is not: {fault.Message}", fault);
        }
    }
}
