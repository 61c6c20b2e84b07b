namespace VaeFunctions.Tensors;

/// <summary>How a convolution's kernel moves over the image, the same in both directions.</summary>
/// <param name="Kernel">Height and width of the kernel, at least 1.</param>
/// <param name="Stride">Step between neighbouring outputs, at least 1.</param>
/// <param name="Padding">Zeros around the image, at least 0.</param>
/// <param name="OutputPadding">Rows and columns added at the bottom and right of a transposed convolution's result, below the
/// stride.</param>
public readonly record struct Window(int Kernel, int Stride = 1, int Padding = 0, int OutputPadding = 0)
{
    /// <summary>The extent of a convolution's output.</summary>
    /// <exception cref="ShapeException">The kernel is larger than the padded image.</exception>
    public int Convolved(int extent) => extent + 2 * Padding >= Kernel
        ? (extent + 2 * Padding - Kernel) / Stride + 1
        : throw new ShapeException($"Conv: a kernel of {Kernel} does not fit an image of {extent} padded by {Padding}.");

    /// <summary>The extent of a transposed convolution's output.</summary>
    /// <exception cref="ShapeException">Nothing would be left, or the output padding is not below the stride.</exception>
    public int Transposed(int extent)
    {
        var result = (extent - 1) * Stride - 2 * Padding + Kernel + OutputPadding;
        if (OutputPadding >= Math.Max(Stride, 1) && OutputPadding > 0)
            throw new ShapeException(
                $"ConvTranspose: output padding is {OutputPadding} but stride is {Stride}; it must be smaller.");
        return result > 0 ? result : throw new ShapeException($"ConvTranspose: {this} leaves nothing of an extent of {extent}.");
    }
}
