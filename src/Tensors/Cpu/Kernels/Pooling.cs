using System.Numerics.Tensors;
using VaeFunctions.Tensors;

namespace VaeFunctions.Cpu.Kernels;

/// <summary>The largest of the elements under each place of a window, an image's channel a thread.</summary>
/// <remarks>H, W = the image's height and width, H', W' = the result's.</remarks>
static class Pooling
{
    /// <summary>[N, C, H, W] → [N, C, H', W']. The rows under the window first, a vector at a time, then its columns.</summary>
    public static void Max(Team team, float[] x, Shape shape, float[] y, Shape result, Window window)
    {
        int height = shape[2], width = shape[3], rows = result[2], columns = result[3];
        team.ForRange(shape[0] * shape[1], 8, (first, count) =>
        {
            var highest = new float[width];
            for (var plane = first; plane < first + count; plane++)
            {
                for (var row = 0; row < rows; row++)
                {
                    var (top, bottom) = Inside(row, window, height);
                    x.AsSpan((plane * height + top) * width, width).CopyTo(highest);
                    for (var i = top + 1; i < bottom; i++)
                        TensorPrimitives.Max(highest, x.AsSpan((plane * height + i) * width, width), highest);
                    var target = y.AsSpan((plane * rows + row) * columns, columns);
                    for (var column = 0; column < columns; column++)
                    {
                        var (left, right) = Inside(column, window, width);
                        var largest = highest[left];
                        for (var j = left + 1; j < right; j++) largest = MathF.Max(largest, highest[j]);
                        target[column] = largest;
                    }
                }
            }
        });
    }

    /// <summary>dx = dy at the first of the largest under each window, 0 elsewhere.</summary>
    public static void MaxGradient(Team team, float[] x, Shape shape, float[] dy, Shape result, float[] dx, Window window)
    {
        int height = shape[2], width = shape[3], rows = result[2], columns = result[3];
        team.ForRange(shape[0] * shape[1], 8, (first, count) =>
        {
            for (var plane = first; plane < first + count; plane++)
            {
                var source = x.AsSpan(plane * height * width, height * width);
                var target = dx.AsSpan(plane * height * width, height * width);
                target.Clear();
                for (var row = 0; row < rows; row++)
                {
                    var (top, bottom) = Inside(row, window, height);
                    for (var column = 0; column < columns; column++)
                    {
                        var (left, right) = Inside(column, window, width);
                        var largest = top * width + left;
                        for (var i = top; i < bottom; i++)
                            for (var j = left; j < right; j++)
                                if (source[i * width + j] > source[largest])
                                    largest = i * width + j;
                        target[largest] += dy[(plane * rows + row) * columns + column];
                    }
                }
            }
        });
    }

    /// <summary>The elements of one axis that lie under the window at a place: from the first up to, not including, the
    /// second.</summary>
    static (int From, int To) Inside(int place, Window window, int extent)
    {
        var start = place * window.Stride - window.Padding;
        return (Math.Max(start, 0), Math.Min(start + window.Kernel, extent));
    }
}
