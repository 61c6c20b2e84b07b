using Microsoft.Net.Http.Headers;

namespace VaeFunctions.Serving;

/// <summary>The forms in which pictures are given back.</summary>
public enum AnswerKind
{
    Png,
    Json,
    Zip,

    /// <summary>An animated PNG.</summary>
    Apng,
}

static class Accept
{
    /// <summary>What functions offer that give images back.</summary>
    public static readonly AnswerKind[] Pictures = [AnswerKind.Png, AnswerKind.Json, AnswerKind.Zip];

    static readonly Dictionary<AnswerKind, MediaTypeHeaderValue> Types = new()
    {
        [AnswerKind.Png] = new("image/png"),
        [AnswerKind.Json] = new("application/json"),
        [AnswerKind.Zip] = new("application/zip"),
        [AnswerKind.Apng] = new("image/apng"),
    };

    public static string TypeOf(AnswerKind kind) => Types[kind].ToString();

    /// <summary>What the Accept header likes best; the first of the offers where it is silent or indifferent.</summary>
    /// <exception cref="RequestException">406: it likes nothing that there is.</exception>
    public static AnswerKind Choose(HttpRequest request, IReadOnlyList<AnswerKind> offers)
    {
        var header = request.Headers.Accept;
        if (header.Count == 0)
            return offers[0];
        if (!MediaTypeHeaderValue.TryParseList(header, out var ranges))
            ranges = [];
        var best = offers
            .Select(offer => (Kind: offer, Quality: Quality(Types[offer], ranges)))
            .MaxBy(offer => offer.Quality); // of equal qualities, the first offer
        return best.Quality > 0
            ? best.Kind
            : throw new RequestException(StatusCodes.Status406NotAcceptable,
                $"Accept is \"{header}\"; there is {string.Join(", ", offers.Select(TypeOf))}.");
    }

    /// <summary>Whether an answer may be packed with gzip.</summary>
    public static bool TakesGzip(HttpRequest request) => request.GetTypedHeaders().AcceptEncoding
        .Any(coding => coding is { Value.Value: "gzip" or "*", Quality: not 0 });

    /// <summary>The quality of the most specific range that covers a type; 0 where none does.</summary>
    static double Quality(MediaTypeHeaderValue type, IEnumerable<MediaTypeHeaderValue> ranges)
    {
        var range = ranges.Where(type.IsSubsetOf).MinBy(range => range.MatchesAllTypes ? 2 : range.MatchesAllSubTypes ? 1 : 0);
        return range is null ? 0 : range.Quality ?? 1;
    }
}
