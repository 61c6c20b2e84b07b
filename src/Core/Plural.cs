using System.Globalization;

namespace VaeFunctions;

/// <summary>Numbers of things in messages: <c>1 image</c>, <c>2,000 images</c>.</summary>
public static class Plural
{
    /// <param name="one">The thing's name for one of it, in English.</param>
    /// <param name="several">The name for any other number; with an s behind it unless given.</param>
    public static string Of(long count, string one, string? several = null) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} {(count == 1 ? one : several ?? one + "s")}");

    /// <summary>A measured amount, to three digits: <c>1 minute</c>, <c>0.5 minutes</c>.</summary>
    public static string Of(double amount, string one) =>
        string.Create(CultureInfo.InvariantCulture, $"{amount:G3} {(amount == 1 ? one : one + "s")}");
}
