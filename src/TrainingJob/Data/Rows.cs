namespace VaeFunctions.Data;

/// <summary>The pixels of many images, wherever they are.</summary>
interface IRows
{
    int Count { get; }

    /// <summary>The images that could not be read, whose rows hold nothing.</summary>
    IReadOnlyList<int> Missing { get; }

    /// <summary>One image's bytes, which stay as long as the process runs.</summary>
    ReadOnlySpan<byte> this[int index] { get; }
}

/// <summary>Each image in an array of its own.</summary>
sealed class ArrayRows(byte[]?[] images) : IRows
{
    public int Count => images.Length;

    public IReadOnlyList<int> Missing { get; } = [.. Enumerable.Range(0, images.Length).Where(i => images[i] is null)];

    public ReadOnlySpan<byte> this[int index] =>
        images[index] ?? throw new InvalidOperationException($"Image {index} could not be read.");
}
