using System.Security.Cryptography;
using System.Text;

namespace VaeFunctions.Registry;

/// <summary>A document's own SHA-256, written into it as a JSON string: damage shows wherever the document lies, and there is no
/// second file to keep in step with it.</summary>
/// <remarks>The hash is taken with zeros in its own place. It finds damage, not malice: whoever can change a document can seal it
/// again.</remarks>
static class Seal
{
    /// <summary>What the document calls it.</summary>
    public const string Key = "seal";

    /// <summary>What stands in its place until the document is sealed.</summary>
    public static string Open { get; } = new('0', 2 * SHA256.HashSizeInBytes);

    /// <summary>Seals a document whose first string of this length is <see cref="Open"/>.</summary>
    public static void Close(Span<byte> document)
    {
        var place = PlaceOf(Open, document);
        Encoding.ASCII.GetBytes(Hash(document, place), document[place..]);
    }

    /// <summary>Whether a document is what was sealed, to the last bit.</summary>
    /// <param name="seal">What it says of itself.</param>
    public static bool Holds(string seal, ReadOnlySpan<byte> document) =>
        seal.Length == Open.Length && PlaceOf(seal, document) is > 0 and var place && Hash(document, place) == seal;

    static int PlaceOf(string seal, ReadOnlySpan<byte> document) => document.IndexOf(Encoding.UTF8.GetBytes($"\"{seal}\"")) + 1;

    static string Hash(ReadOnlySpan<byte> document, int place)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(document[..place]);
        hash.AppendData(Encoding.ASCII.GetBytes(Open));
        hash.AppendData(document[(place + Open.Length)..]);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
