using System.Numerics.Tensors;

namespace VaeFunctions.Cpu.Kernels;

/// <summary>result[i, j] = Σₖ left[i, k] · right[j, k], for operands of any <see cref="Operand"/> layout.</summary>
/// <remarks>Each element is summed in the order of k, in blocks of <see cref="DepthBlock"/>, however the work is split.</remarks>
static unsafe class Gemm
{
    const int DepthBlock = 256;
    const int ColumnBlock = 128;

    /// <summary>Products with fewer multiplications than this are not worth a second thread.</summary>
    const long WorthSplitting = 1 << 17;

    [ThreadStatic]
    static float[]? leftBuffer;

    [ThreadStatic]
    static float[]? rightBuffer;

    /// <param name="left">M lines of depth K.</param>
    /// <param name="right">N lines of depth K.</param>
    /// <param name="result">M lines of depth N: overwritten.</param>
    public static void Multiply(Team team, Operand left, Operand right, Operand result)
    {
        int rows = result.Lines.Length, columns = result.Depth.Length, depth = left.Depth.Length;
        if (rows == 0 || columns == 0) return;
        if (depth == 0)
        {
            foreach (var row in result.Lines)
            {
                foreach (var column in result.Depth) result.Values[row + column] = 0;
            }
            return;
        }
        var pieces = (long)rows * columns * depth < WorthSplitting ? 1 : 4 * team.Threads;
        if (columns >= rows)
        {
            var grain = RoundUp((columns + pieces - 1) / pieces, MicroKernel.Columns);
            team.ForRange(columns, grain, (start, count) => MultiplyBlock(left, right, result, 0, rows, start, count, 0, depth));
        }
        else
        {
            var grain = RoundUp((rows + pieces - 1) / pieces, MicroKernel.Rows);
            team.ForRange(rows, grain, (start, count) => MultiplyBlock(left, right, result, start, count, 0, columns, 0, depth));
        }
    }

    /// <summary>For few results over a long depth: the depth is cut at the given places, the parts' results are added in order.</summary>
    /// <param name="cuts">0, …, K: chosen by shape alone, so that the sum does not depend on the number of threads.</param>
    public static void MultiplyDeep(Team team, BufferPool pool, Operand left, Operand right, Operand result, int[] cuts)
    {
        var count = result.Lines.Length * result.Depth.Length;
        if (count == 0) return;
        var parts = new float[cuts.Length - 1][];
        for (var part = 0; part < parts.Length; part++) parts[part] = pool.Rent(count).Values;
        team.For(parts.Length, part =>
        {
            var partial = new Operand(parts[part], result.Lines, result.Depth);
            MultiplyBlock(left, right, partial, 0, result.Lines.Length, 0, result.Depth.Length, cuts[part], cuts[part + 1] - cuts[part]);
        });
        team.ForRange(count, 1 << 15, (start, length) =>
        {
            var sum = result.Values.AsSpan(start, length);
            sum.Clear();
            for (var part = 0; part < parts.Length; part++) TensorPrimitives.Add(sum, parts[part].AsSpan(start, length), sum);
        });
    }

    static void MultiplyBlock(
        Operand left, Operand right, Operand result, int firstRow, int rows, int firstColumn, int columns, int firstDepth, int depth)
    {
        int tileRows = MicroKernel.Rows, tileColumns = MicroKernel.Columns;
        var tile = stackalloc float[tileRows * tileColumns];
        var leftPacked = Aligned(ref leftBuffer, RoundUp(rows, tileRows) * DepthBlock);
        var rightPacked = Aligned(ref rightBuffer, RoundUp(ColumnBlock, tileColumns) * DepthBlock);
        for (var k = 0; k < depth; k += DepthBlock)
        {
            var depthCount = Math.Min(DepthBlock, depth - k);
            left.Pack(firstRow, rows, firstDepth + k, depthCount, tileRows, leftPacked);
            for (var block = 0; block < columns; block += ColumnBlock)
            {
                var blockColumns = Math.Min(ColumnBlock, columns - block);
                right.Pack(firstColumn + block, blockColumns, firstDepth + k, depthCount, tileColumns, rightPacked);
                for (var row = 0; row < rows; row += tileRows)
                {
                    for (var column = 0; column < blockColumns; column += tileColumns)
                    {
                        MicroKernel.Multiply(leftPacked + row * depthCount, rightPacked + column * depthCount, depthCount, tile);
                        Store(tile, result, firstRow + row, Math.Min(tileRows, rows - row),
                            firstColumn + block + column, Math.Min(tileColumns, blockColumns - column), accumulate: k > 0);
                    }
                }
            }
        }
    }

    static void Store(float* tile, Operand result, int firstRow, int rows, int firstColumn, int columns, bool accumulate)
    {
        var offsets = result.Depth.AsSpan(firstColumn, columns);
        var contiguous = offsets[^1] - offsets[0] == columns - 1;
        for (var row = 0; row < rows; row++, tile += MicroKernel.Columns)
        {
            var line = result.Values.AsSpan(result.Lines[firstRow + row]);
            var source = new ReadOnlySpan<float>(tile, columns);
            if (contiguous)
            {
                var target = line.Slice(offsets[0], columns);
                if (accumulate) TensorPrimitives.Add(source, target, target);
                else source.CopyTo(target);
            }
            else if (accumulate)
            {
                for (var column = 0; column < columns; column++) line[offsets[column]] += source[column];
            }
            else
            {
                for (var column = 0; column < columns; column++) line[offsets[column]] = source[column];
            }
        }
    }

    static float* Aligned(ref float[]? buffer, int count)
    {
        if (buffer is null || buffer.Length < count + 16) buffer = GC.AllocateUninitializedArray<float>(count + 16, pinned: true);
        fixed (float* start = buffer) return (float*)(((nint)start + 63) & ~63);
    }

    static int RoundUp(int count, int multiple) => (count + multiple - 1) / multiple * multiple;
}
