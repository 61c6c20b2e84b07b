using System.Numerics.Tensors;
using VaeFunctions.Tensors;

namespace VaeFunctions.Cpu.Kernels;

/// <summary>Convolutions as products of <see cref="Operand"/>s, without storing the patches; only where there are few output
/// channels, a (channel, tap) column of each is stored and added up.</summary>
/// <remarks>
/// N = images, C = channels of x, H, W its extents, O = channels of the other side, K = kernel, P = padding, S = stride.
/// x is copied once with its zero border, so that a pixel of a patch is at (place's offset) + (tap's offset), always in range.
/// </remarks>
sealed class Convolution(Team team, BufferPool pool)
{
    /// <summary>Plans kept at most: a training needs a few for each layer and batch size.</summary>
    const int PlansKept = 256;

    enum Kind
    {
        Forward,
        Transposed,
        Columns,
        TransposedColumns,
        WeightGradient,
        FewWeightGradient,
    }

    readonly Dictionary<(Kind, Shape, Shape, Window), ConvolutionPlan> plans = [];

    /// <summary>y = finish(x ∗ weight), for weights [O, C, K, K].</summary>
    public void Forward(float[] x, Shape shape, float[] weight, float[] y, Shape result, Window window, Epilogue finish)
    {
        if (window.Stride == 1 && SuitsColumns(result[1], window.Kernel))
        {
            ForwardByColumns(x, shape, weight, y, result, window, finish, transposed: false);
            return;
        }
        Multiply(Plan(Kind.Forward, shape, result, window, ConvolutionPlan.Forward), x, shape, weight, y, finish);
    }

    /// <summary>The transpose of <see cref="Forward"/> in x, for weights [C, O, K, K].</summary>
    public void Transposed(float[] x, Shape shape, float[] weight, float[] y, Shape result, Window window, Epilogue finish)
    {
        if (SuitsColumns(result[1], window.Kernel))
        {
            ForwardByColumns(x, shape, weight, y, result, window, finish, transposed: true);
            return;
        }
        Multiply(Plan(Kind.Transposed, shape, result, window, ConvolutionPlan.Transposed), x, shape, weight, y, finish);
    }

    void Multiply(ConvolutionPlan plan, float[] x, Shape shape, float[] weight, float[] y, Epilogue finish)
    {
        var image = Pad(x, shape, plan.Border);
        foreach (var product in plan.Products)
        {
            Gemm.Multiply(team, new(image, product.Places, product.Taps), new(weight, product.WeightChannels, product.WeightTaps),
                new(y, product.ResultPlaces, product.ResultChannels), finish);
        }
    }

    /// <summary>Whether so few output channels would leave most lanes empty that it is better to take (channel, tap) as
    /// lanes.</summary>
    static bool SuitsColumns(int outputs, int kernel) =>
        4 * Gemm.RoundUp(outputs * kernel * kernel, MicroKernel.Columns)
            <= kernel * kernel * Gemm.RoundUp(outputs, MicroKernel.Columns);

    /// <summary>For few output channels: columns[n, (o, u, v), place] = Σ over c of x[n, c, place] · weight[o, c, u, v], which
    /// are then added where they belong in y.</summary>
    void ForwardByColumns(
        float[] x, Shape shape, float[] weight, float[] y, Shape result, Window window, Epilogue finish, bool transposed)
    {
        int taps = window.Kernel * window.Kernel, places = shape[2] * shape[3], lanes = result[1] * taps;
        var plan = transposed
            ? Plan(Kind.TransposedColumns, shape, result, window, ConvolutionPlan.TransposedColumns)
            : Plan(Kind.Columns, shape, result, window, ConvolutionPlan.Columns);
        var columns = pool.Rent(shape[0] * lanes * places).Values;
        var product = plan.Products[0];
        Gemm.Multiply(team, new(x, product.Places, product.Taps), new(weight, product.WeightChannels, product.WeightTaps),
            new(columns, product.ResultPlaces, product.ResultChannels), default);
        team.For(result[0] * result[1], plane => AddColumns(columns.AsSpan(plane * taps * places, taps * places), shape[2],
            shape[3],
            y.AsSpan(plane * result[2] * result[3], result[2] * result[3]), result[2], result[3], window, transposed, finish,
            plane % result[1]));
    }

    /// <summary>One channel of one image: place (i, j) of tap (u, v) belongs to y[S·i + u − P, S·j + v − P] of a transposed
    /// convolution, and to y[i − u + P, j − v + P] of a plain one with stride 1.</summary>
    static void AddColumns(ReadOnlySpan<float> columns, int height, int width, Span<float> y, int rows, int rowLength,
        Window window, bool transposed, Epilogue finish, int channel)
    {
        y.Fill(finish.Bias is null ? 0 : finish.Bias[channel]);
        for (var tap = 0; tap < window.Kernel * window.Kernel; tap++)
        {
            int u = tap / window.Kernel - window.Padding, v = tap % window.Kernel - window.Padding;
            if (!transposed) (u, v) = (-u, -v);
            // the j whose S·j + v lies in the row
            int first = Math.Max(0, (-v + window.Stride - 1) / window.Stride), last = Math.Min(
                width, (rowLength - v + window.Stride - 1) / window.Stride);
            if (first >= last) continue;
            for (var i = 0; i < height; i++)
            {
                var row = window.Stride * i + u;
                if (row < 0 || row >= rows) continue;
                var source = columns.Slice((tap * height + i) * width + first, last - first);
                var target = y.Slice(row * rowLength + window.Stride * first + v, window.Stride * (last - first - 1) + 1);
                if (window.Stride == 1) TensorPrimitives.Add(target, source, target);
                else for (var j = 0; j < source.Length; j++) target[window.Stride * j] += source[j];
            }
        }
        if (finish.Relu) TensorPrimitives.Max(y, 0f, y);
    }

    /// <summary>dweight[o, c, u, v] = Σ over n, i, j of dy[n, o, i, j] · x[n, c, S·i − P + u, S·j − P + v]</summary>
    public void WeightGradient(float[] x, Shape shape, float[] gradient, Shape gradientShape, float[] result, Window window)
    {
        if (window.Stride == 1 && window.Padding < window.Kernel && SuitsColumns(gradientShape[1], window.Kernel))
        {
            FewWeightGradient(x, shape, gradient, gradientShape, result, window);
            return;
        }
        var plan = Plan(Kind.WeightGradient, shape, gradientShape, window, ConvolutionPlan.WeightGradient);
        var product = plan.Products[0];
        Gemm.MultiplyDeep(team, pool, new(Pad(x, shape, plan.Border), product.Taps, product.Places),
            new(gradient, product.WeightChannels, product.WeightTaps),
            new(result, product.ResultPlaces, product.ResultChannels), Cuts(shape[0], gradientShape[2] * gradientShape[3]));
    }

    /// <summary>The same for few O and stride 1, with the taps taken from dy: Σ over places p of x[n, c, p] · dy[n, o, p − (u, v)
    /// + P].</summary>
    void FewWeightGradient(float[] x, Shape shape, float[] gradient, Shape gradientShape, float[] result, Window window)
    {
        var plan = Plan(Kind.FewWeightGradient, shape, gradientShape, window, ConvolutionPlan.FewWeightGradient);
        var product = plan.Products[0];
        Gemm.MultiplyDeep(team, pool, new(x, product.Taps, product.Places),
            new(Pad(gradient, gradientShape, plan.Border), product.WeightChannels, product.WeightTaps),
            new(result, product.ResultPlaces, product.ResultChannels), Cuts(shape[0], shape[2] * shape[3]));
    }

    /// <summary>Up to eight parts of whole images.</summary>
    static int[] Cuts(int images, int places)
    {
        var chunk = Math.Max(1, (images + 7) / 8);
        return [.. Enumerable.Range(0, (images + chunk - 1) / chunk).Select(part => part * chunk * places), images * places];
    }

    ConvolutionPlan Plan(Kind kind, Shape shape, Shape result, Window window, Func<Shape, Shape, Window, ConvolutionPlan> make)
    {
        if (plans.TryGetValue((kind, shape, result, window), out var plan)) return plan;
        if (plans.Count >= PlansKept) plans.Clear();
        return plans[(kind, shape, result, window)] = make(shape, result, window);
    }

    float[] Pad(float[] x, Shape shape, Border border)
    {
        if (border is { Before: 0, After: 0 }) return x;
        var padded = border.Around(shape);
        int height = shape[2], width = shape[3], paddedWidth = padded[3], plane = padded[2] * paddedWidth;
        var values = pool.Rent(padded.Count).Values;
        int top = border.Before * paddedWidth + border.Before, gap = border.Before + border.After;
        team.ForRange(shape[0] * shape[1], 16, (start, count) =>
        {
            for (var index = start; index < start + count; index++)
            {
                var target = values.AsSpan(index * plane, plane);
                target[..top].Clear();
                for (var row = 0; row < height; row++)
                {
                    x.AsSpan((index * height + row) * width, width).CopyTo(target[(top + row * paddedWidth)..]);
                    var end = top + row * paddedWidth + width;
                    target[end..Math.Min(end + gap, plane)].Clear(); // after this row and before the next
                }
                target[Math.Min(top + height * paddedWidth, plane)..].Clear();
            }
        });
        return values;
    }
}

/// <summary>What becomes of a product's results on their way to memory: y + bias, and then max(y, 0).</summary>
/// <param name="Bias">One for each column, or null.</param>
readonly record struct Epilogue(float[]? Bias, bool Relu);
