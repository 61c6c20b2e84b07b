using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Images that a request holds or names, fitted to a model as each is read, so that only one is in memory at its full
/// size.</summary>
public sealed class RequestImages(IOptions<ServingOptions> options, IBlobStore store)
{
    const string BlobPrefix = "blob:";

    /// <summary>All images of a field; at least one.</summary>
    /// <exception cref="RequestException">400 or 413: no image, too many or too large ones, or a reference to what is not
    /// there.</exception>
    /// <exception cref="ImageFormatException">One is not an image.</exception>
    public async Task<IReadOnlyList<FittedImage>> ReadAsync(
        RequestContent content, Field field, ImageTarget target, CancellationToken cancellation)
    {
        var node = content[field];
        if (field.Type == FieldType.Image && node is not null)
            return [await ReadOneAsync(content, node, field.Name, target, cancellation)];
        if (node is null && !content.Has(field))
            throw RequestException.Invalid($"\"{field.Name}\" is missing: there is no image in the request; send at least one.");
        return await ReadAllAsync(content, node, field.Name, target, cancellation);
    }

    /// <summary>The images of an array, whose place in the request is for messages.</summary>
    public async Task<IReadOnlyList<FittedImage>> ReadAllAsync(
        RequestContent content, JsonNode? node, string place, ImageTarget target, CancellationToken cancellation)
    {
        if (node is not JsonArray array)
            throw RequestException.Invalid(
                $"\"{place}\" is no array; send [image, …], each a file's bytes in base64, blob:container/path or part:NAME.");
        if (array is [])
            throw RequestException.Invalid($"\"{place}\" is empty: there is no image in the request; send at least one.");
        content.CheckImages(array.Count);
        var images = new List<FittedImage>(array.Count);
        foreach (var (i, item) in array.Index())
            images.Add(await ReadOneAsync(content, item, array.Count == 1 && content.Part($"{place}[0]") is not null ? ""
                : $"{place}[{i}]", target, cancellation));
        return images;
    }

    /// <summary>The image that a text stands for.</summary>
    public async Task<FittedImage> ReadOneAsync(
        RequestContent content, JsonNode? node, string place, ImageTarget target, CancellationToken cancellation)
    {
        if (node is not JsonValue value || !value.TryGetValue<string>(out var text))
            throw NotAnImage(place);
        var encoded = text.StartsWith(RequestContent.PartPrefix, StringComparison.Ordinal)
            ? FromPart(content, text[RequestContent.PartPrefix.Length..], place)
            : text.StartsWith(BlobPrefix, StringComparison.Ordinal)
                ? await FromBlobAsync(text[BlobPrefix.Length..], place, cancellation)
            : FromBase64(text) ?? throw NotAnImage(place);
        try
        {
            return Fit(encoded, target);
        }
        catch (ImageFormatException fault) when (place.Length > 0)
        {
            throw new ImageFormatException($"{place}: {fault.Message}", fault);
        }
    }

    /// <summary>One image, made into what a model takes.</summary>
    /// <exception cref="RequestException">413: it has more pixels than the limit.</exception>
    /// <exception cref="ImageFormatException">It is not an image.</exception>
    public FittedImage Fit(ReadOnlySpan<byte> encoded, ImageTarget target)
    {
        var limit = options.Value.MaxImagePixels;
        var limits = new ImageLimits { MaxPixels = long.MaxValue, MaxBytes = long.MaxValue };
        var header = ImageCodec.ReadHeader(encoded, limits);
        if ((long)header.Width * header.Height > limit)
        {
            throw new RequestException(StatusCodes.Status413PayloadTooLarge,
                $"The image is {header.Width}x{header.Height}; at most {limit} pixels are accepted. Make it smaller; the model "
                    + $"uses {target.Shape.Width}x{target.Shape.Height}.");
        }
        return ImageCodec.DecodeTo(target, encoded, limits);
    }

    static byte[] FromPart(RequestContent content, string name, string place) => content.Part(name)
        ?? throw RequestException.Invalid(
            $"{place} asks for part:{RequestContent.Shortened(name)}, but the request has no such file; send multipart/form-data "
                + "with a file of that name.");

    async Task<byte[]> FromBlobAsync(string path, string place, CancellationToken cancellation)
    {
        var allowed = options.Value.ReadableContainers;
        if (!allowed.Contains(path.Split('/')[0]))
            throw RequestException.Invalid(
                $"{place} names blob:{RequestContent.Shortened(path)}, but only blobs of {string.Join(", ", allowed)} can be "
                    + "read here.");
        try
        {
            var blob = await store.TryReadAsync(path, options.Value.MaxBodyBytes, cancellation);
            return blob?.Content.ToArray() ?? throw RequestException.Invalid(
                $"{place}: there is no blob {RequestContent.Shortened(path)}.");
        }
        catch (BlobPathException fault)
        {
            throw RequestException.Invalid($"{place}: {fault.Message}", fault);
        }
        catch (BlobTooLargeException)
        {
            throw new RequestException(StatusCodes.Status413PayloadTooLarge,
                $"{place}: blob {RequestContent.Shortened(path)} has more than {options.Value.MaxBodyBytes} bytes, which is the "
                    + "most that is read; name a smaller one.");
        }
    }

    static RequestException NotAnImage(string place) =>
        RequestException.Invalid($"{place} is not base64; give the bytes of an image file ({ImageFormats.Names}) in base64, "
            + "alone or as data:image/png;base64,…, or blob:container/path.");

    /// <summary>Base64, alone or in a data: URL, whose media type does not matter: the content tells the format.</summary>
    static byte[]? FromBase64(string text)
    {
        const string ending = ";base64,";
        if (text.StartsWith("data:", StringComparison.OrdinalIgnoreCase)
            && text.IndexOf(ending, 0, Math.Min(text.Length, 200), StringComparison.OrdinalIgnoreCase) is >= 0 and var at)
            text = text[(at + ending.Length)..];
        var buffer = new byte[text.Length / 4 * 3 + 3];
        return Convert.TryFromBase64String(text, buffer, out var length) ? buffer[..length] : null;
    }
}
