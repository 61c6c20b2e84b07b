namespace VaeFunctions.Serving;

/// <summary>Problem details (RFC 9457).</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Title">The status in words.</param>
/// <param name="Detail">What was found, what was expected and how to mend it.</param>
/// <param name="Instance">The path that was asked for.</param>
public sealed record Problem(int Status, string Title, string Detail, string Instance);
