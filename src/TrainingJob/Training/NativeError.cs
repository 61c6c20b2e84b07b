using System.Runtime.InteropServices;

namespace VaeFunctions.Training;

/// <summary>What native libraries throw, told to people.</summary>
public static class NativeError
{
    /// <summary>What libtorch said, without its stack; null for what did not come from there. TorchSharp has no type of its own
    /// for it, and others derive from this one.</summary>
    public static string? OfLibtorch(Exception e) =>
        e.GetType() == typeof(ExternalException) ? $"libtorch: {e.Message.Split('\n')[0]}" : null;

    /// <summary>The message of what a native library threw, with what helps where memory ran out.</summary>
    /// <param name="options">The options that the command has, such as <c>--device</c>.</param>
    public static string Explain(ExternalException e, IEnumerable<string> options)
    {
        if (OfLibtorch(e) is not { } message || !message.Contains("out of memory", StringComparison.OrdinalIgnoreCase))
            return OfLibtorch(e) ?? e.Message;
        (string Option, string Remedy)[] remedies =
            [("--batch-size", "give a smaller --batch-size"), ("--device", "compute with --device cpu")];
        string[] there = [.. remedies.Where(pair => options.Contains(pair.Option)).Select(pair => pair.Remedy)];
        return there is [] ? message : $"{message} To go on, {string.Join(", or ", there)}.";
    }
}
