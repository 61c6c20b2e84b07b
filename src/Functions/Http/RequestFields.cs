using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace VaeFunctions.Serving;

/// <summary>The named values of a request, from its query or its JSON body; unknown names are refused.</summary>
sealed class RequestFields
{
    readonly Dictionary<string, JsonNode?> values = new(StringComparer.Ordinal);

    /// <summary>Reads the query and, where there is one, the JSON body.</summary>
    /// <exception cref="RequestException">400: not JSON, an unknown name, or one given twice. 415: a body that is not JSON.</exception>
    public static async Task<RequestFields> ReadAsync(HttpRequest request, string[] known, CancellationToken cancellation)
    {
        var fields = new RequestFields();
        // `code` is the function key, which Azure's host reads.
        foreach (var (name, value) in request.Query.Where(pair => pair.Key is not "code"))
            fields.Add(name, value is [var one] ? JsonValue.Create(one) : throw Twice(name), known);
        if (request.ContentType is not null || request.ContentLength > 0)
        {
            foreach (var (name, value) in await ReadObjectAsync(request, known, cancellation))
                fields.Add(name, value, known);
        }
        return fields;
    }

    /// <summary>The JSON object in a request's body.</summary>
    public static async Task<JsonObject> ReadObjectAsync(HttpRequest request, string[] known, CancellationToken cancellation)
    {
        if (!request.HasJsonContentType())
        {
            throw new RequestException(StatusCodes.Status415UnsupportedMediaType,
                $"Content-Type is \"{request.ContentType}\"; send application/json with {string.Join(", ", known)}, or no body at all.");
        }
        try
        {
            var options = new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 8 };
            return await JsonNode.ParseAsync(request.Body, documentOptions: options, cancellationToken: cancellation) as JsonObject
                ?? throw RequestException.Invalid($"The body is JSON but no object; send {{ … }} with {string.Join(", ", known)}.");
        }
        catch (JsonException fault)
        {
            throw RequestException.Invalid($"The body is not JSON: {fault.Message}", fault);
        }
    }

    public static RequestException Unknown(string name, string[] known) =>
        RequestException.Invalid($"\"{name}\" is not known here; there is {string.Join(", ", known)}.");

    /// <summary>A whole number, or null where it is not given.</summary>
    public long? Integer(string name, long least, long most)
    {
        if (Text(name) is not { } text)
            return null;
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw RequestException.Invalid($"{name} is {text}; give a whole number from {least} to {most}.");
    }

    /// <summary>A number, or null where it is not given.</summary>
    public double? Number(string name, double least, double most)
    {
        if (Text(name) is not { } text)
            return null;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw RequestException.Invalid(FormattableString.Invariant($"{name} is {text}; give a number from {least} to {most}."));
    }

    /// <summary>A text, or a number as it was written, or null where it is not given.</summary>
    public string? Text(string name) => values.GetValueOrDefault(name) switch
    {
        null => null,
        JsonValue value => Shortened(value.ToString()),
        var other => Shortened(other.ToJsonString()),
    };

    void Add(string name, JsonNode? value, string[] known)
    {
        if (!known.Contains(name))
            throw Unknown(name, known);
        if (!values.TryAdd(name, value))
            throw Twice(name);
    }

    static string Shortened(string text) => text.Length <= 40 ? text : text[..40] + "…";

    static RequestException Twice(string name) => RequestException.Invalid($"\"{name}\" is given more than once; give it once, in the query or in the body.");
}
