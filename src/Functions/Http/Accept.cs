using Microsoft.Net.Http.Headers;

namespace VaeFunctions.Serving;

/// <summary>The forms in which pictures are given back.</summary>
enum AnswerKind
{
    Png,
    Json,
    Zip,
}

static class Accept
{
    static readonly (AnswerKind Kind, MediaTypeHeaderValue Type)[] Offers =
    [
        (AnswerKind.Png, new("image/png")),
        (AnswerKind.Json, new("application/json")),
        (AnswerKind.Zip, new("application/zip")),
    ];

    /// <summary>What the Accept header likes best; PNG where it is silent or indifferent.</summary>
    /// <exception cref="RequestException">406: it likes nothing that there is.</exception>
    public static AnswerKind Choose(HttpRequest request)
    {
        var header = request.Headers.Accept;
        if (header.Count == 0)
            return AnswerKind.Png;
        if (!MediaTypeHeaderValue.TryParseList(header, out var ranges))
            ranges = [];
        var best = Offers
            .Select(offer => (offer.Kind, Quality: Quality(offer.Type, ranges)))
            .MaxBy(offer => offer.Quality); // the first of equals
        return best.Quality > 0
            ? best.Kind
            : throw new RequestException(StatusCodes.Status406NotAcceptable,
                $"Accept is \"{header}\"; there is {string.Join(", ", Offers.Select(offer => offer.Type))}.");
    }

    /// <summary>The quality of the most specific range that covers a type; 0 where none does.</summary>
    static double Quality(MediaTypeHeaderValue type, IEnumerable<MediaTypeHeaderValue> ranges)
    {
        var range = ranges.Where(type.IsSubsetOf).MinBy(range => range.MatchesAllTypes ? 2 : range.MatchesAllSubTypes ? 1 : 0);
        return range is null ? 0 : range.Quality ?? 1;
    }
}
