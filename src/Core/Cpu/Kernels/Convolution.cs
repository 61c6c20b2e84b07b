using VaeFunctions.Tensors;

namespace VaeFunctions.Cpu.Kernels;

/// <summary>Convolutions as products of <see cref="Operand"/>s, without ever storing the patches.</summary>
/// <remarks>
/// N = images, C = channels of x, H, W its extents, O = channels of the other side, K = kernel, P = padding, S = stride.
/// x is copied once with its zero border, so that a pixel of a patch is at (position's offset) + (tap's offset), always in range.
/// Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016.
/// </remarks>
static class Convolution
{
    /// <summary>y[n, o, i, j] = Σ x[n, c, S·i − P + u, S·j − P + v] · weight[o, c, u, v]</summary>
    public static void Forward(Team team, BufferPool pool, float[] x, Shape shape, float[] weight, float[] y, Shape result, Window window)
    {
        var image = Pad(team, pool, x, shape, window.Padding, window.Padding);
        int depth = shape[1] * window.Kernel * window.Kernel;
        Gemm.Multiply(team,
            new(image.Values, image.Positions(result[2], result[3], window.Stride), image.Taps(Offsets(window.Kernel), Offsets(window.Kernel))),
            Operand.Matrix(weight, result[1], depth, transposed: false),
            Channels(y, result).Transposed);
    }

    /// <summary>The transpose of <see cref="Forward"/> in x, split by the S × S phases of the output: each is a plain convolution
    /// of x with every S-th tap of the kernel.</summary>
    /// <param name="weight">[C, O, K, K]</param>
    public static void Transposed(Team team, BufferPool pool, float[] x, Shape shape, float[] weight, float[] y, Shape result, Window window)
    {
        int kernel = window.Kernel, stride = window.Stride, outputs = result[1];
        // Output row S·i + phase reads input row i + step for every tap u of its phase, with step = (phase + P − u) / S.
        var phases = Enumerable.Range(0, stride).Select(phase => Phase.Of(phase, window)).ToArray();
        var steps = phases.SelectMany(phase => phase.Steps).ToArray();
        var before = Math.Max(0, -steps.Min());
        var beyond = Math.Max(phases[0].Count(result[2], stride) - shape[2], phases[0].Count(result[3], stride) - shape[3]);
        var after = Math.Max(0, steps.Max() + beyond);
        var image = Pad(team, pool, x, shape, before, after);
        foreach (var vertical in phases)
        {
            foreach (var horizontal in phases)
            {
                int rows = vertical.Count(result[2], stride), columns = horizontal.Count(result[3], stride);
                Gemm.Multiply(team,
                    new(image.Values, image.Positions(rows, columns, 1),
                        image.Taps([.. vertical.Steps.Select(step => step + before)], [.. horizontal.Steps.Select(step => step + before)])),
                    new(weight, Operand.Range(outputs, kernel * kernel),
                        WeightTaps(shape[1], outputs * kernel * kernel, vertical.Taps, horizontal.Taps, kernel)),
                    new(y, Places(result, vertical.First, horizontal.First, rows, columns, stride), Operand.Range(outputs, result[2] * result[3])));
            }
        }
    }

    /// <summary>The outputs first, first + S, … along one axis, with the kernel taps that reach them.</summary>
    sealed record Phase(int First, int[] Taps, int[] Steps)
    {
        public static Phase Of(int first, Window window)
        {
            int[] taps = [.. Enumerable.Range(0, window.Kernel).Where(tap => (first + window.Padding - tap) % window.Stride == 0)];
            return new(first, taps, [.. taps.Select(tap => (first + window.Padding - tap) / window.Stride)]);
        }

        /// <summary>How many of the phase's outputs lie within an extent; none where the first is beyond it.</summary>
        public int Count(int extent, int stride) => (extent - First + stride - 1) / stride;
    }

    /// <summary>dweight[o, c, u, v] = Σ over n, i, j of dy[n, o, i, j] · x[n, c, S·i − P + u, S·j − P + v]</summary>
    public static void WeightGradient(Team team, BufferPool pool, float[] x, Shape shape, float[] gradient, Shape gradientShape, float[] result, Window window)
    {
        var image = Pad(team, pool, x, shape, window.Padding, window.Padding);
        int positions = gradientShape[2] * gradientShape[3], images = shape[0];
        var dy = Channels(gradient, gradientShape);
        var taps = image.Taps(Offsets(window.Kernel), Offsets(window.Kernel));
        var chunk = Math.Max(1, (images + 7) / 8);
        int[] cuts = [.. Enumerable.Range(0, (images + chunk - 1) / chunk).Select(part => part * chunk * positions), images * positions];
        Gemm.MultiplyDeep(team, pool,
            new(image.Values, taps, image.Positions(gradientShape[2], gradientShape[3], window.Stride)), dy,
            Operand.Matrix(result, gradientShape[1], taps.Length, transposed: true), cuts);
    }

    /// <summary>Channel c of every image of [N, C, H, W] as one line.</summary>
    static Operand Channels(float[] values, Shape shape) =>
        new(values, Operand.Range(shape[1], shape[2] * shape[3]), Places(shape, 0, 0, shape[2], shape[3], 1));

    /// <summary>Where in channel 0 the pixels of a phase are: rows × columns of every image, row-major.</summary>
    static int[] Places(Shape shape, int firstRow, int firstColumn, int rows, int columns, int stride)
    {
        var places = new int[shape[0] * rows * columns];
        var index = 0;
        for (var n = 0; n < shape[0]; n++)
        {
            for (var i = 0; i < rows; i++)
            {
                var row = (n * shape[1] * shape[2] + firstRow + i * stride) * shape[3] + firstColumn;
                for (var j = 0; j < columns; j++) places[index++] = row + j * stride;
            }
        }
        return places;
    }

    static int[] WeightTaps(int channels, int channelStride, int[] tapsY, int[] tapsX, int kernel) =>
        [.. from c in Enumerable.Range(0, channels) from u in tapsY from v in tapsX select c * channelStride + u * kernel + v];

    static int[] Offsets(int kernel) => [.. Enumerable.Range(0, kernel)];

    static PaddedImages Pad(Team team, BufferPool pool, float[] x, Shape shape, int before, int after)
    {
        int height = shape[2], width = shape[3], paddedHeight = before + height + after, paddedWidth = before + width + after;
        if (before + after == 0) return new(x, shape[0], shape[1], height, width);
        var values = pool.Rent(new Shape(shape[0], shape[1], paddedHeight, paddedWidth).Count).Values;
        team.ForRange(shape[0] * shape[1], 64, (start, count) =>
        {
            values.AsSpan(start * paddedHeight * paddedWidth, count * paddedHeight * paddedWidth).Clear();
            for (var plane = start; plane < start + count; plane++)
            {
                for (var row = 0; row < height; row++)
                {
                    x.AsSpan((plane * height + row) * width, width)
                        .CopyTo(values.AsSpan((plane * paddedHeight + before + row) * paddedWidth + before));
                }
            }
        });
        return new(values, shape[0], shape[1], paddedHeight, paddedWidth);
    }

    readonly record struct PaddedImages(float[] Values, int Images, int Channels, int Height, int Width)
    {
        /// <summary>Offsets of the top left pixel of each patch, every <paramref name="stride"/> pixels, of every image.</summary>
        public int[] Positions(int rows, int columns, int stride) =>
            Places(new(Images, Channels, Height, Width), 0, 0, rows, columns, stride);

        /// <summary>Offsets of each channel and tap from a patch's top left pixel.</summary>
        public int[] Taps(int[] rows, int[] columns)
        {
            var taps = new int[Channels * rows.Length * columns.Length];
            var index = 0;
            for (var c = 0; c < Channels; c++)
            {
                foreach (var u in rows)
                {
                    foreach (var v in columns) taps[index++] = (c * Height + u) * Width + v;
                }
            }
            return taps;
        }
    }
}
