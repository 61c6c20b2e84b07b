using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using VaeFunctions.Imaging;

namespace VaeFunctions.Serving;

/// <summary>An image as it came, fitted to a model, with the size that it had before, as 640x480.</summary>
public sealed record FittedImage(Image Image, string OriginalSize, bool Resized);

/// <summary>Reads images from a request: one as the raw body, several as multipart/form-data or as base64 in JSON.</summary>
public sealed class RequestImages(IOptions<ServingOptions> options)
{
    static readonly string[] Known = ["images"];

    /// <summary>All images of a request, fitted to a shape as each is read, so that only one is in memory at its full size.</summary>
    /// <exception cref="RequestException">400, 413 or 415: no image, too many or too large ones, or another content type.</exception>
    /// <exception cref="ImageFormatException">One is not an image.</exception>
    public async Task<IReadOnlyList<FittedImage>> ReadAsync(HttpRequest request, ImageShape shape, CancellationToken cancellation)
    {
        var images = new List<FittedImage>();
        await foreach (var encoded in EncodedAsync(request, cancellation))
        {
            if (images.Count == options.Value.MaxImages)
                throw new RequestException(StatusCodes.Status413PayloadTooLarge, $"There are more than {options.Value.MaxImages} images; send at most {options.Value.MaxImages} a request.");
            images.Add(Fit(encoded, shape, images.Count + 1));
        }
        return images is [] ? throw RequestException.Invalid("There is no image in the request; send at least one.") : images;
    }

    /// <summary>One image, fitted to a shape.</summary>
    /// <exception cref="RequestException">413: it has more pixels than the limit.</exception>
    /// <exception cref="ImageFormatException">It is not an image.</exception>
    public FittedImage Fit(ReadOnlySpan<byte> encoded, ImageShape shape)
    {
        var limit = options.Value.MaxImagePixels;
        var limits = new ImageLimits { MaxPixels = long.MaxValue, MaxBytes = long.MaxValue };
        var header = ImageCodec.ReadHeader(encoded, limits);
        if ((long)header.Width * header.Height > limit)
        {
            throw new RequestException(StatusCodes.Status413PayloadTooLarge,
                $"The image is {header.Width}x{header.Height}; at most {limit} pixels are accepted. Make it smaller; the model uses {shape.Width}x{shape.Height}.");
        }
        var image = ImageCodec.Decode(encoded, limits);
        return new FittedImage(image.FitTo(shape), $"{image.Width}x{image.Height}", image.Width != shape.Width || image.Height != shape.Height);
    }

    FittedImage Fit(byte[] encoded, ImageShape shape, int number)
    {
        try
        {
            return Fit(encoded, shape);
        }
        catch (ImageFormatException fault) when (number > 1)
        {
            throw new ImageFormatException($"Image {number}: {fault.Message}", fault);
        }
    }

    static IAsyncEnumerable<byte[]> EncodedAsync(HttpRequest request, CancellationToken cancellation)
    {
        var type = MediaTypeHeaderValue.TryParse(request.ContentType, out var parsed) ? parsed : null;
        return type?.MediaType.Value?.ToLowerInvariant() switch
        {
            "image/png" or "image/jpeg" or "image/webp" => RawAsync(request.Body, cancellation),
            "multipart/form-data" => PartsAsync(request.Body, HeaderUtilities.RemoveQuotes(type!.Boundary).Value, cancellation),
            "application/json" => Base64Async(request, cancellation),
            _ => throw new RequestException(StatusCodes.Status415UnsupportedMediaType,
                $"Content-Type is \"{request.ContentType}\"; send an image as image/png, image/jpeg or image/webp, several as multipart/form-data or as application/json with {{\"images\": [base64, …]}}."),
        };
    }

    static async IAsyncEnumerable<byte[]> RawAsync(Stream body, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        yield return await ReadAsync(body, cancellation);
    }

    static async IAsyncEnumerable<byte[]> PartsAsync(Stream body, string? boundary, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        if (string.IsNullOrEmpty(boundary) || boundary.Length > 200)
            throw RequestException.Invalid("Content-Type is multipart/form-data without a usable boundary; let the HTTP library write that header.");
        var reader = new MultipartReader(boundary, body);
        while (await NextAsync(reader, cancellation) is { } part)
        {
            if (part.AsFileSection() is not null)
                yield return await ReadAsync(part.Body, cancellation);
            else
                throw RequestException.Invalid($"The form's field {part.ContentDisposition ?? "without a name"} is no file; send images as files, each with a file name.");
        }
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

    static async IAsyncEnumerable<byte[]> Base64Async(HttpRequest request, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var body = await RequestFields.ReadObjectAsync(request, Known, cancellation);
        if (body.FirstOrDefault(pair => !Known.Contains(pair.Key)) is { Key: { } stranger })
            throw RequestFields.Unknown(stranger, Known);
        if (body["images"] is not JsonArray images)
            throw RequestException.Invalid("\"images\" is missing or no array; send {\"images\": [base64, …]}.");
        foreach (var (i, image) in images.Index())
        {
            yield return image is JsonValue value && value.TryGetValue<string>(out var text) && FromBase64(text) is { } encoded
                ? encoded
                : throw RequestException.Invalid($"images[{i}] is not base64; give the bytes of a PNG, JPEG or WebP file in base64, without a data: prefix.");
        }
    }

    static byte[]? FromBase64(string text)
    {
        var buffer = new byte[text.Length / 4 * 3 + 3];
        return Convert.TryFromBase64String(text, buffer, out var length) ? buffer[..length] : null;
    }

    /// <summary>The whole of a body, whose length the server limits.</summary>
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
}
