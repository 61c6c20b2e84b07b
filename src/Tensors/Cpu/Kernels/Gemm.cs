using System.Numerics.Tensors;
using System.Runtime.Intrinsics;

namespace VaeFunctions.Cpu.Kernels;

/// <summary>result[i, j] = Σₖ left[i, k] · right[j, k], for operands of any <see cref="Operand"/> layout.</summary>
/// <remarks>Each element is summed in the order of k, in blocks that depend on the shape alone, however the work is
/// split.</remarks>
static unsafe class Gemm
{
    const int DepthBlock = 256;
    const int ColumnBlock = 128;

    /// <summary>Products with fewer multiplications than this are not worth a second thread.</summary>
    const long WorthSplitting = 1 << 17;

    /// <summary>A right side of up to so many elements stays in the second-level cache: it is packed once, whole.</summary>
    const int Resident = 1 << 18;

    /// <summary>What the calling thread packs for all.</summary>
    [ThreadStatic]
    static float[]? sharedBuffer;

    /// <summary>What each thread packs for itself.</summary>
    [ThreadStatic]
    static float[]? ownBuffer;

    /// <param name="left">M lines of depth K.</param>
    /// <param name="right">N lines of depth K.</param>
    /// <param name="result">M lines of depth N: overwritten.</param>
    public static void Multiply(Team team, Operand left, Operand right, Operand result, Epilogue finish = default)
    {
        int rows = result.Lines.Length, columns = result.Depth.Length, depth = left.Depth.Length;
        if (rows == 0 || columns == 0) return;
        if (depth == 0)
        {
            foreach (var row in result.Lines)
            {
                foreach (var column in result.Depth) result.Values[row + column] = 0;
            }
            Finish(team, result, finish);
            return;
        }
        if (rows >= 4 * columns && (long)RoundUp(columns, MicroKernel.Columns) * depth <= Resident)
        {
            MultiplyResident(team, left, right, result, finish);
            return;
        }
        MultiplyBlocks(team, left, right, result);
        Finish(team, result, finish);
    }

    /// <summary>For many rows and a small right side, such as the places of a convolution and its weights: the right side is
    /// packed once, the left is read where it lies.</summary>
    static void MultiplyResident(Team team, Operand left, Operand right, Operand result, Epilogue finish)
    {
        int rows = result.Lines.Length, columns = result.Depth.Length, depth = left.Depth.Length;
        var packed = Aligned(ref sharedBuffer, RoundUp(columns, MicroKernel.Columns) * depth);
        team.ForRange(depth, DepthBlock / 4, (start, count) =>
            right.Pack(0, columns, start, count, MicroKernel.Columns, packed + start * MicroKernel.Columns,
                depth * MicroKernel.Columns));
        var pieces = (long)rows * columns * depth < WorthSplitting ? 1 : 16 * team.Threads;
        var grain = RoundUp((rows + pieces - 1) / pieces, MicroKernel.Rows);
        team.ForRange(rows, grain, (start, count) => MultiplyRows(left, packed, result, start, count, finish));
    }

    static void MultiplyRows(Operand left, float* packed, Operand result, int firstRow, int rows, Epilogue finish)
    {
        int tileRows = MicroKernel.Rows, tileColumns = MicroKernel.Columns;
        int columns = result.Depth.Length, depth = left.Depth.Length;
        var lines = stackalloc int[tileRows];
        var space = stackalloc float[tileRows * tileColumns + 16];
        var tile = AlignedTile(space);
        fixed (float* values = left.Values)
        fixed (int* step = left.Depth)
        {
            for (var row = firstRow; row < firstRow + rows; row += tileRows)
            {
                var count = left.TakeLines(row, Math.Min(tileRows, firstRow + rows - row), lines);
                for (var column = 0; column < columns; column += tileColumns)
                {
                    MicroKernel.Multiply(values, lines, step, depth, packed + column * depth, tile, accumulate: false);
                    var width = Math.Min(tileColumns, columns - column);
                    Finish(tile, count, column, width, finish);
                    Store(tile, result, row, count, column, width, accumulate: false);
                }
            }
        }
    }

    static void Finish(float* tile, int rows, int firstColumn, int columns, Epilogue finish)
    {
        for (var row = 0; row < rows; row++, tile += MicroKernel.Columns)
        {
            Span<float> values = new(tile, columns);
            if (finish.Bias is not null) TensorPrimitives.Add(values, finish.Bias.AsSpan(firstColumn, columns), values);
            if (finish.Relu) TensorPrimitives.Max(values, 0f, values);
        }
    }

    /// <summary>The same as a pass of its own, for results that were summed in memory.</summary>
    static void Finish(Team team, Operand result, Epilogue finish)
    {
        if (finish is { Bias: null, Relu: false }) return;
        team.ForRange(result.Lines.Length, 64, (first, count) =>
        {
            for (var row = first; row < first + count; row++)
            {
                for (var column = 0; column < result.Depth.Length; column++)
                {
                    ref var value = ref result.Values[result.Lines[row] + result.Depth[column]];
                    if (finish.Bias is not null) value += finish.Bias[column];
                    if (finish.Relu && value < 0) value = 0;
                }
            }
        });
    }

    /// <summary>For few results over a long depth, such as the weight gradient of a convolution: the depth is cut at the given
    /// places, the parts' results are added in order.</summary>
    /// <param name="cuts">0, …, K: chosen by shape alone, so that the sum does not depend on the number of threads.</param>
    public static void MultiplyDeep(Team team, BufferPool pool, Operand left, Operand right, Operand result, int[] cuts)
    {
        int rows = result.Lines.Length, columns = result.Depth.Length;
        if (rows == 0 || columns == 0) return;
        int tileRows = MicroKernel.Rows, tileColumns = MicroKernel.Columns, tileSize = tileRows * tileColumns;
        int panels = (columns + tileColumns - 1) / tileColumns, tiles = (rows + tileRows - 1) / tileRows * panels;
        var parts = new float[cuts.Length - 1][];
        for (var part = 0; part < parts.Length; part++) parts[part] = pool.Rent(tiles * tileSize).Values;
        team.For(parts.Length, part => MultiplyPart(left, right, parts[part], rows, columns, cuts[part], cuts[part + 1]));
        team.ForRange(tiles, 16, (first, count) =>
        {
            var sum = parts[0].AsSpan(first * tileSize, count * tileSize);
            foreach (var part in parts.AsSpan(1)) TensorPrimitives.Add(sum, part.AsSpan(first * tileSize, count * tileSize), sum);
            fixed (float* sums = sum)
            {
                for (var tile = 0; tile < count; tile++)
                {
                    int row = (first + tile) / panels * tileRows, column = (first + tile) % panels * tileColumns;
                    Store(sums
                        + tile * tileSize, result, row, Math.Min(tileRows, rows - row), column, Math.Min(
                            tileColumns, columns - column), accumulate: false);
                }
            }
        });
    }

    /// <param name="sums">Tile by tile.</param>
    static void MultiplyPart(Operand left, Operand right, float[] sums, int rows, int columns, int firstDepth, int lastDepth)
    {
        int tileRows = MicroKernel.Rows, tileColumns = MicroKernel.Columns;
        var lines = stackalloc int[tileRows];
        var packed = Aligned(ref ownBuffer, RoundUp(columns, tileColumns) * DepthBlock);
        fixed (float* values = left.Values, start = sums)
        fixed (int* step = left.Depth)
        {
            for (var k = firstDepth; k < lastDepth; k += DepthBlock)
            {
                var depth = Math.Min(DepthBlock, lastDepth - k);
                right.Pack(0, columns, k, depth, tileColumns, packed, tileColumns * depth);
                var tile = start;
                for (var row = 0; row < rows; row += tileRows)
                {
                    left.TakeLines(row, Math.Min(tileRows, rows - row), lines);
                    for (var column = 0; column < columns; column += tileColumns, tile += tileRows * tileColumns)
                        MicroKernel.Multiply(
                            values, lines, step + k, depth, packed + column * depth, tile, accumulate: k > firstDepth);
                }
            }
        }
    }

    /// <summary>The general case, a slab of the depth after another: the slab of the left side is packed once, for all; each
    /// thread packs blocks of the right side and uses them up.</summary>
    static void MultiplyBlocks(Team team, Operand left, Operand right, Operand result)
    {
        int rows = result.Lines.Length, columns = result.Depth.Length, depth = left.Depth.Length;
        int tileRows = MicroKernel.Rows, paddedRows = RoundUp(rows, tileRows);
        var slabDepth = Math.Max(1, 2 * Resident / paddedRows / DepthBlock) * DepthBlock;
        var packed = Aligned(ref sharedBuffer, paddedRows * Math.Min(depth, slabDepth));
        var splits = (long)rows * columns * depth >= WorthSplitting;
        var chunkRows = splits ? Math.Max(1, paddedRows / tileRows / 4) * tileRows : paddedRows;
        var chunks = (rows + chunkRows - 1) / chunkRows;
        var pieces = splits ? 4 * team.Threads : 1;
        for (var first = 0; first < depth; first += slabDepth)
        {
            var slab = new Slab(packed, first, Math.Min(slabDepth, depth - first));
            team.For((slab.Depth + DepthBlock - 1) / DepthBlock * chunks, piece =>
            {
                int k = piece / chunks * DepthBlock, row = piece % chunks * chunkRows;
                var count = Math.Min(DepthBlock, slab.Depth - k);
                left.Pack(row, Math.Min(chunkRows, rows - row), slab.First + k, count, tileRows,
                    slab.Left + k * paddedRows + row * count, tileRows * count);
            });
            if (columns >= rows)
            {
                var grain = RoundUp((columns + pieces - 1) / pieces, MicroKernel.Columns);
                team.ForRange(columns, grain, (start, count) => MultiplyBlock(slab, right, result, 0, rows, start, count));
            }
            else
            {
                var grain = RoundUp((rows + pieces - 1) / pieces, tileRows);
                team.ForRange(rows, grain, (start, count) => MultiplyBlock(slab, right, result, start, count, 0, columns));
            }
        }
    }

    /// <summary>The packed left side of some of the depth: blocks of <see cref="DepthBlock"/>, each panel by panel.</summary>
    readonly struct Slab(float* left, int first, int depth)
    {
        public readonly float* Left = left;

        public readonly int First = first, Depth = depth;
    }

    static void MultiplyBlock(Slab slab, Operand right, Operand result, int firstRow, int rows, int firstColumn, int columns)
    {
        int tileRows = MicroKernel.Rows, tileColumns = MicroKernel.Columns, paddedRows = RoundUp(result.Lines.Length, tileRows);
        int* lines = stackalloc int[tileRows], steps = stackalloc int[DepthBlock];
        for (var i = 0; i < tileRows; i++) lines[i] = i;
        for (var k = 0; k < DepthBlock; k++) steps[k] = k * tileRows;
        var space = stackalloc float[tileRows * tileColumns + 16];
        var tile = AlignedTile(space);
        var packed = Aligned(ref ownBuffer, RoundUp(ColumnBlock, tileColumns) * DepthBlock);
        for (var k = 0; k < slab.Depth; k += DepthBlock)
        {
            var depth = Math.Min(DepthBlock, slab.Depth - k);
            for (var block = 0; block < columns; block += ColumnBlock)
            {
                var blockColumns = Math.Min(ColumnBlock, columns - block);
                right.Pack(firstColumn + block, blockColumns, slab.First + k, depth, tileColumns, packed, tileColumns * depth);
                for (var row = firstRow; row < firstRow + rows; row += tileRows)
                {
                    for (var column = 0; column < blockColumns; column += tileColumns)
                    {
                        MicroKernel.Multiply(slab.Left + k * paddedRows + row * depth, lines, steps, depth,
                            packed + column * depth, tile, accumulate: false);
                        Store(tile, result, row, Math.Min(tileRows, firstRow + rows - row),
                            firstColumn + block + column, Math.Min(tileColumns, blockColumns - column), accumulate: slab.First
                                + k > 0);
                    }
                }
            }
        }
    }

    static void Store(float* tile, Operand result, int firstRow, int rows, int firstColumn, int columns, bool accumulate)
    {
        fixed (float* values = result.Values)
        fixed (int* line = &result.Lines[firstRow], step = &result.Depth[firstColumn])
        {
            if (Operand.AreNeighbours(step, columns)) StoreRows(tile, values + step[0], line, rows, columns, accumulate);
            else if (accumulate) StoreScattered(tile, values, line, rows, step, columns, accumulate);
            else StoreColumns(tile, values, line, rows, step, columns);
        }
    }

    /// <summary>Neighbours along a row are neighbours in memory.</summary>
    static void StoreRows(float* tile, float* values, int* line, int rows, int columns, bool accumulate)
    {
        for (var row = 0; row < rows; row++, tile += MicroKernel.Columns)
        {
            ReadOnlySpan<float> source = new(tile, columns);
            Span<float> target = new(values + line[row], columns);
            if (accumulate) TensorPrimitives.Add(source, target, target);
            else source.CopyTo(target);
        }
    }

    /// <summary>Neighbours along a column may be neighbours in memory, as the places of a channel are: four at a time where they
    /// are.</summary>
    static void StoreColumns(float* tile, float* values, int* line, int rows, int* step, int columns)
    {
        var row = 0;
        for (; row + 4 <= rows; row += 4, tile += 4 * MicroKernel.Columns)
        {
            if (!Operand.AreNeighbours(line + row, 4))
            {
                StoreScattered(tile, values, line + row, 4, step, columns, accumulate: false);
                continue;
            }
            var target = values + line[row];
            var column = 0;
            for (; column + 4 <= columns; column += 4)
            {
                var source = tile + column;
                var (a, b, c, d) = Operand.Transpose(Vector128.Load(source), Vector128.Load(source + MicroKernel.Columns),
                    Vector128.Load(source + 2 * MicroKernel.Columns), Vector128.Load(source + 3 * MicroKernel.Columns));
                a.Store(target + step[column]);
                b.Store(target + step[column + 1]);
                c.Store(target + step[column + 2]);
                d.Store(target + step[column + 3]);
            }
            if (column < columns)
                StoreScattered(tile + column, values, line + row, 4, step + column, columns - column, accumulate: false);
        }
        if (row < rows) StoreScattered(tile, values, line + row, rows - row, step, columns, accumulate: false);
    }

    static void StoreScattered(float* tile, float* values, int* line, int rows, int* step, int columns, bool accumulate)
    {
        for (var row = 0; row < rows; row++, tile += MicroKernel.Columns)
        {
            var target = values + line[row];
            for (var column = 0; column < columns; column++)
            {
                if (accumulate) target[step[column]] += tile[column];
                else target[step[column]] = tile[column];
            }
        }
    }

    static float* Aligned(ref float[]? buffer, int count)
    {
        if (buffer is null || buffer.Length < count + 16) buffer = GC.AllocateUninitializedArray<float>(count + 16, pinned: true);
        fixed (float* start = buffer) return AlignedTile(start);
    }

    /// <summary>The first multiple of a cache line from here on: a load across two lines costs twice.</summary>
    static float* AlignedTile(float* start) => (float*)(((nint)start + 63) & ~63);

    public static int RoundUp(int count, int multiple) => (count + multiple - 1) / multiple * multiple;
}
