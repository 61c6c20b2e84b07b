using VaeFunctions.Tensors;

namespace VaeFunctions.Cpu.Kernels;

/// <summary>What a convolution of given shapes multiplies with what: offsets only, worked out once and used in every
/// step.</summary>
/// <remarks>
/// N = images, C = channels of x, O = channels of the other side, K = kernel, P = padding, S = stride.
/// Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016.
/// </remarks>
/// <param name="Border">Zeros around each image of x, so that every tap of every place is in range.</param>
/// <param name="Products">Together they make the result.</param>
sealed record ConvolutionPlan(Border Border, ConvolutionPlan.Product[] Products)
{
    /// <summary>result[place, channel] = Σ over taps of x[place + tap] · weight[channel, tap]</summary>
    public sealed record Product(
        int[] Places, int[] Taps, int[] WeightChannels, int[] WeightTaps, int[] ResultPlaces, int[] ResultChannels);

    /// <summary>y[n, o, i, j] = Σ x[n, c, S·i − P + u, S·j − P + v] · weight[o, c, u, v]</summary>
    public static ConvolutionPlan Forward(Shape x, Shape result, Window window)
    {
        var border = new Border(window.Padding, window.Padding);
        var padded = border.Around(x);
        var kernel = Upto(window.Kernel);
        return new(border,
        [
            new(Places(padded, 0, 0, result[2], result[3], window.Stride), Taps(padded, kernel, kernel),
                Operand.Range(result[1], x[1] * window.Kernel * window.Kernel),
                Operand.Range(x[1] * window.Kernel * window.Kernel, 1),
                Places(result, 0, 0, result[2], result[3], 1), Operand.Range(result[1], result[2] * result[3])),
        ]);
    }

    /// <summary>The transpose of <see cref="Forward"/> in x, for weights [C, O, K, K]: split by the S × S phases of the output,
    /// each is a plain convolution of x with every S-th tap of the kernel.</summary>
    public static ConvolutionPlan Transposed(Shape x, Shape result, Window window)
    {
        int kernel = window.Kernel, stride = window.Stride, outputs = result[1];
        // Output row S·i + phase reads input row i + step for every tap u of its phase, with step = (phase + P − u) / S.
        var phases = Enumerable.Range(0, stride).Select(phase => Phase.Of(phase, window)).ToArray();
        var steps = phases.SelectMany(phase => phase.Steps).ToArray();
        var beyond = Math.Max(phases[0].Count(result[2], stride) - x[2], phases[0].Count(result[3], stride) - x[3]);
        var border = new Border(Math.Max(0, -steps.Min()), Math.Max(0, steps.Max() + beyond));
        var padded = border.Around(x);
        return new(border,
        [
            .. from vertical in phases
               from horizontal in phases
               let rows = vertical.Count(result[2], stride)
               let columns = horizontal.Count(result[3], stride)
               select new Product(
                   Places(padded, 0, 0, rows, columns, 1),
                   Taps(padded, [.. vertical.Steps.Select(step => step
                       + border.Before)], [.. horizontal.Steps.Select(step => step + border.Before)]),
                   Operand.Range(outputs, kernel * kernel),
                   [.. from c in Enumerable.Range(0, x[1])
                       from u in vertical.Taps
                       from v in horizontal.Taps
                       select (c * outputs * kernel + u) * kernel + v],
                   Places(result, vertical.First, horizontal.First, rows, columns, stride), Operand.Range(
                       outputs, result[2] * result[3])),
        ]);
    }

    /// <summary>columns[n, (o, u, v), place] = Σ over c of x[n, c, place] · weight[o, c, u, v]: no border, every tap is a channel
    /// of its own.</summary>
    public static ConvolutionPlan Columns(Shape x, Shape result, Window window) => Columns(x, result, window, transposed: false);

    /// <summary>The same for weights [C, O, K, K].</summary>
    public static ConvolutionPlan TransposedColumns(Shape x, Shape result, Window window) =>
        Columns(x, result, window, transposed: true);

    static ConvolutionPlan Columns(Shape x, Shape result, Window window, bool transposed)
    {
        int taps = window.Kernel * window.Kernel, places = x[2] * x[3], lanes = result[1] * taps;
        return new(default,
        [
            new(Places(x, 0, 0, x[2], x[3], 1), Operand.Range(x[1], places),
                [.. from o in Upto(result[1]) from tap in Upto(taps) select (transposed ? o : o * x[1]) * taps + tap],
                Operand.Range(x[1], transposed ? lanes : taps),
                Places(new(x[0], lanes, x[2], x[3]), 0, 0, x[2], x[3], 1), Operand.Range(lanes, places)),
        ]);
    }

    /// <summary>dweight[o, c, u, v] = Σ over n, i, j of dy[n, o, i, j] · x[n, c, S·i − P + u, S·j − P + v]: the taps of x are the
    /// rows, the channels of dy, in the place of the weights, the columns, and the depth is all places.</summary>
    public static ConvolutionPlan WeightGradient(Shape x, Shape gradient, Window window)
    {
        var border = new Border(window.Padding, window.Padding);
        var padded = border.Around(x);
        var taps = Taps(padded, Upto(window.Kernel), Upto(window.Kernel));
        return new(border,
        [
            new(Places(padded, 0, 0, gradient[2], gradient[3], window.Stride), taps,
                Operand.Range(gradient[1], gradient[2] * gradient[3]), Places(gradient, 0, 0, gradient[2], gradient[3], 1),
                Operand.Range(taps.Length, 1), Operand.Range(gradient[1], taps.Length)),
        ]);
    }

    /// <summary>The same for stride 1 with the taps taken from dy, which has the border then: Σ over places p of x[n, c, p] ·
    /// dy[n, o, p − (u, v) + P].</summary>
    public static ConvolutionPlan FewWeightGradient(Shape x, Shape gradient, Window window)
    {
        int taps = window.Kernel * window.Kernel, places = x[2] * x[3], margin = window.Kernel - 1 - window.Padding;
        var border = new Border(margin, margin);
        var padded = border.Around(gradient);
        int[] mirrored = [.. Upto(window.Kernel).Reverse()];
        return new(border,
        [
            new(Places(x, 0, 0, x[2], x[3], 1), Operand.Range(x[1], places),
                Taps(padded, mirrored, mirrored), Places(padded, 0, 0, x[2], x[3], 1),
                Operand.Range(x[1], taps), [.. from o in Upto(gradient[1]) from tap in Upto(taps) select o * x[1] * taps + tap]),
        ]);
    }

    /// <summary>The outputs first, first + S, … along one axis, with the kernel taps that reach them.</summary>
    sealed record Phase(int First, int[] Taps, int[] Steps)
    {
        public static Phase Of(int first, Window window)
        {
            int[] taps =
                [.. Enumerable.Range(0, window.Kernel).Where(tap => (first + window.Padding - tap) % window.Stride == 0)];
            return new(first, taps, [.. taps.Select(tap => (first + window.Padding - tap) / window.Stride)]);
        }

        /// <summary>How many of the phase's outputs lie within an extent; none where the first is beyond it.</summary>
        public int Count(int extent, int stride) => (extent - First + stride - 1) / stride;
    }

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

    /// <summary>Offsets of each channel and tap from a patch's top left pixel.</summary>
    static int[] Taps(Shape padded, int[] rows, int[] columns) =>
        [.. from c in Enumerable.Range(0, padded[1]) from u in rows from v in columns select (c * padded[2] + u) * padded[3] + v];

    static int[] Upto(int count) => Operand.Range(count, 1);
}

/// <summary>Zeros around an image: so many before its rows and columns and so many after.</summary>
readonly record struct Border(int Before, int After)
{
    public Shape Around(Shape images) => new(images[0], images[1], Before + images[2] + After, Before + images[3] + After);
}
