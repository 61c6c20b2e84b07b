using VaeFunctions.Imaging;

namespace VaeFunctions.Data;

/// <summary>Images of one shape in memory, with what is known about them.</summary>
public sealed class ImageDataset
{
    readonly byte[][] images;

    /// <param name="images">Taken over: for each image its pixels, row by row, channels side by side (HWC).</param>
    /// <param name="labels">For each image an index into <paramref name="labelNames"/>, or null where there are no labels.</param>
    /// <param name="attributes">[image, attribute]: known truth, or null.</param>
    /// <exception cref="ArgumentException">The parts are not of one length, or a label has no name.</exception>
    public ImageDataset(
        ImageShape shape,
        byte[][] images,
        int[]? labels = null,
        IReadOnlyList<string>? labelNames = null,
        float[,]? attributes = null,
        IReadOnlyList<string>? attributeNames = null)
    {
        ArgumentNullException.ThrowIfNull(images);
        (Shape, this.images, Labels, LabelNames, Attributes, AttributeNames) =
            (shape, images, labels, labelNames ?? [], attributes, attributeNames ?? []);
        if (Array.Find(images, pixels => pixels.Length != shape.Size) is { } odd)
            throw new ArgumentException($"ImageDataset: an image has {odd.Length} bytes; a shape of {shape} has {shape.Size}.");
        if (labels is not null && labels.Length != images.Length)
            throw new ArgumentException($"ImageDataset: {labels.Length} labels for {images.Length} images.");
        if (labels is not null && Array.Exists(labels, label => label < 0 || label >= LabelNames.Count))
            throw new ArgumentException($"ImageDataset: a label lies outside the {LabelNames.Count} names.");
        if (attributes is not null && (attributes.GetLength(0) != images.Length || attributes.GetLength(1) != AttributeNames.Count))
            throw new ArgumentException(
                $"ImageDataset: {attributes.GetLength(0)}×{attributes.GetLength(1)} attributes for {images.Length} images and "
                + $"{AttributeNames.Count} names.");
    }

    public ImageShape Shape { get; }

    public int Count => images.Length;

    /// <summary>For each image an index into <see cref="LabelNames"/>; null where there are no labels.</summary>
    public int[]? Labels { get; }

    public IReadOnlyList<string> LabelNames { get; }

    /// <summary>[image, attribute]: known truth where the images were drawn; yes-or-no attributes are 0 or 1.</summary>
    public float[,]? Attributes { get; }

    public IReadOnlyList<string> AttributeNames { get; }

    /// <summary>One image's bytes: row by row, channels side by side.</summary>
    public ReadOnlySpan<byte> Pixels(int index) => images[index];

    public Image Image(int index) => new(Shape, images[index]);

    /// <summary>Every image changed by a function of its place and pixels; all else stays.</summary>
    public ImageDataset Map(Func<int, byte[], byte[]> function) =>
        new(Shape, [.. images.Select((pixels, index) => function(index, pixels))], Labels, LabelNames, Attributes, AttributeNames);

    /// <summary>The images at these places, in this order, sharing their pixels.</summary>
    public ImageDataset Select(ReadOnlySpan<int> indices)
    {
        var selected = new byte[indices.Length][];
        var labels = Labels is null ? null : new int[indices.Length];
        var attributes = Attributes is null ? null : new float[indices.Length, AttributeNames.Count];
        for (var i = 0; i < indices.Length; i++)
        {
            selected[i] = images[indices[i]];
            if (labels is not null) labels[i] = Labels![indices[i]];
            for (var j = 0; attributes is not null && j < AttributeNames.Count; j++) attributes[i, j] = Attributes![indices[i], j];
        }
        return new ImageDataset(Shape, selected, labels, LabelNames, attributes, AttributeNames);
    }
}
