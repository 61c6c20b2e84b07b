using VaeFunctions.Imaging;

namespace VaeFunctions.Data;

/// <summary>Images of one shape, in memory or in a file, with what is known about them.</summary>
public sealed class ImageDataset
{
    readonly IRows rows;
    readonly int[]? places; // which rows the images are; null for all, in their order

    /// <param name="images">Taken over: for each image its pixels, row by row, channels side by side (HWC).</param>
    /// <param name="labels">
    /// For each image an index into <paramref name="labelNames"/>, or null where there are no labels.
    /// </param>
    /// <param name="attributes">[image, attribute]: known truth, or null.</param>
    /// <exception cref="ArgumentException">The parts are not of one length, or a label has no name.</exception>
    public ImageDataset(
        ImageShape shape,
        byte[][] images,
        int[]? labels = null,
        IReadOnlyList<string>? labelNames = null,
        float[,]? attributes = null,
        IReadOnlyList<string>? attributeNames = null)
        : this(shape, new ArrayRows(images ?? throw new ArgumentNullException(nameof(images))),
            labels, labelNames, attributes, attributeNames)
    {
        if (Array.Find(images, pixels => pixels.Length != shape.Size) is { } odd)
            throw new ArgumentException($"ImageDataset: an image has {odd.Length} bytes; a shape of {shape} has {shape.Size}.");
    }

    internal ImageDataset(
        ImageShape shape,
        IRows rows,
        int[]? labels = null,
        IReadOnlyList<string>? labelNames = null,
        float[,]? attributes = null,
        IReadOnlyList<string>? attributeNames = null,
        int[]? places = null)
    {
        (Shape, this.rows, this.places, Labels, LabelNames, Attributes, AttributeNames) =
            (shape, rows, places, labels, labelNames ?? [], attributes, attributeNames ?? []);
        if (labels is not null && labels.Length != Count)
            throw new ArgumentException($"ImageDataset: {labels.Length} labels for {Count} images.");
        if (labels is not null && Array.Exists(labels, label => label < 0 || label >= LabelNames.Count))
            throw new ArgumentException($"ImageDataset: a label lies outside the {LabelNames.Count} names.");
        if (attributes is not null && (attributes.GetLength(0) != Count || attributes.GetLength(1) != AttributeNames.Count))
            throw new ArgumentException(
                $"ImageDataset: {attributes.GetLength(0)}×{attributes.GetLength(1)} attributes for {Count} images and "
                + $"{AttributeNames.Count} names.");
    }

    public ImageShape Shape { get; }

    public int Count => places?.Length ?? rows.Count;

    /// <summary>For each image an index into <see cref="LabelNames"/>; null where there are no labels.</summary>
    public int[]? Labels { get; }

    public IReadOnlyList<string> LabelNames { get; }

    /// <summary>[image, attribute]: what is known of the images; yes-or-no attributes are 0 or 1, unknown ones NaN.</summary>
    public float[,]? Attributes { get; }

    public IReadOnlyList<string> AttributeNames { get; }

    /// <summary>Whether the attributes came with the images, and do not follow from what the images are.</summary>
    internal bool MeasuredAttributes { get; init; }

    /// <summary>One image's bytes: row by row, channels side by side.</summary>
    /// <exception cref="DataException">They lie in a file that was damaged meanwhile.</exception>
    public ReadOnlySpan<byte> Pixels(int index) => rows[Place(index)];

    public Image Image(int index) => new(Shape, Pixels(index).ToArray());

    /// <summary>Where the pixels lie, and which of them an image has.</summary>
    internal IRows Rows => rows;

    internal int Place(int index) => places is null ? index : places[index];

    /// <summary>Every image changed by a function of its place and pixels; all else stays.</summary>
    public ImageDataset Map(Func<int, byte[], byte[]> function) =>
        new(Shape, [.. Enumerable.Range(0, Count).Select(index => function(index, Pixels(index).ToArray()))],
            Labels, LabelNames, Attributes, AttributeNames)
        {
            MeasuredAttributes = MeasuredAttributes,
        };

    /// <summary>The images at these places, in this order, sharing their pixels.</summary>
    public ImageDataset Select(ReadOnlySpan<int> indices)
    {
        var selected = new int[indices.Length];
        var labels = Labels is null ? null : new int[indices.Length];
        var attributes = Attributes is null ? null : new float[indices.Length, AttributeNames.Count];
        for (var i = 0; i < indices.Length; i++)
        {
            selected[i] = Place(indices[i]);
            if (labels is not null) labels[i] = Labels![indices[i]];
            for (var j = 0; attributes is not null && j < AttributeNames.Count; j++)
                attributes[i, j] = Attributes![indices[i], j];
        }
        return new ImageDataset(Shape, rows, labels, LabelNames, attributes, AttributeNames, selected)
        {
            MeasuredAttributes = MeasuredAttributes,
        };
    }
}
