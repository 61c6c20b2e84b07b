using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace VaeFunctions.Cpu.Kernels;

/// <summary>One side of a product, or its result: element (i, k) is values[lines[i] + depth[k]].</summary>
/// <remarks>
/// That one rule describes a matrix, its transpose, the patches of a convolution (a position's offset plus a tap's offset), the
/// channels of a batch of images, and so every product in this project; only <see cref="Gemm"/> has to be fast.
/// </remarks>
readonly unsafe struct Operand(float[] values, int[] lines, int[] depth)
{
    const int RangesKept = 1024;

    static readonly ConcurrentDictionary<(int Count, int Stride), int[]> ranges = [];

    public float[] Values { get; } = values;

    public int[] Lines { get; } = lines;

    public int[] Depth { get; } = depth;

    /// <summary>The rows of a row-major matrix as lines, or, if <paramref name="transposed"/>, its columns.</summary>
    public static Operand Matrix(float[] values, int rows, int columns, bool transposed)
    {
        int[] alongRows = Range(rows, columns), alongColumns = Range(columns, 1);
        return transposed ? new(values, alongColumns, alongRows) : new(values, alongRows, alongColumns);
    }

    public Operand Transposed => new(Values, Depth, Lines);

    /// <summary>0, stride, 2·stride, …: kept, since every step asks for the same ones, and not to be written to.</summary>
    public static int[] Range(int count, int stride)
    {
        if (ranges.TryGetValue((count, stride), out var offsets)) return offsets;
        offsets = new int[count];
        for (var i = 0; i < count; i++) offsets[i] = i * stride;
        if (ranges.Count >= RangesKept) ranges.Clear();
        return ranges[(count, stride)] = offsets;
    }

    /// <summary>Lays elements out as the micro-kernel reads them: panels of <paramref name="width"/> lines, each [depth, width],
    /// the last one filled up with zeros.</summary>
    /// <param name="panelSize">Elements from one panel to the next.</param>
    public void Pack(int firstLine, int lineCount, int firstDepth, int depthCount, int width, float* packed, int panelSize)
    {
        fixed (float* source = Values)
        fixed (int* line = &Lines[firstLine], step = &Depth[firstDepth])
        {
            for (var panel = 0; panel < lineCount; panel += width, packed += panelSize)
            {
                var count = Math.Min(width, lineCount - panel);
                if (count < width) new Span<float>(packed, width * depthCount).Clear();
                PackPanel(source, line + panel, count, step, depthCount, width, packed);
            }
        }
    }

    /// <summary>Copies the offsets of a tile's lines, the last one again for those beyond the end, whose results nobody
    /// takes.</summary>
    /// <returns>How many lines there really are.</returns>
    public int TakeLines(int first, int count, int* lines)
    {
        for (var i = 0; i < MicroKernel.Rows; i++) lines[i] = Lines[first + Math.Min(i, count - 1)];
        return count;
    }

    static void PackPanel(float* source, int* line, int count, int* step, int depth, int width, float* packed)
    {
        var i = 0;
        for (; i + 16 <= count && AreNeighbours(line + i, 16); i += 16) // neighbours along the lines: copy
        {
            for (var k = 0; k < depth; k++) Vector512.Load(source + line[i] + step[k]).Store(packed + k * width + i);
        }
        for (; i + 4 <= count; i += 4)
        {
            if (AreNeighbours(line + i, 4))
            {
                for (var k = 0; k < depth; k++) Vector128.Load(source + line[i] + step[k]).Store(packed + k * width + i);
            }
            else
            {
                PackFourLines(source, line + i, step, depth, width, packed + i);
            }
        }
        for (; i < count; i++)
        {
            for (var k = 0; k < depth; k++) packed[k * width + i] = source[line[i] + step[k]];
        }
    }

    /// <summary>Whether each offset is one more than the one before: taps may also descend.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AreNeighbours(int* offsets, int count)
    {
        for (var i = 1; i < count; i++)
        {
            if (offsets[i] - offsets[i - 1] != 1) return false;
        }
        return true;
    }

    static void PackFourLines(float* source, int* line, int* step, int depth, int width, float* packed)
    {
        float* a = source + line[0], b = source + line[1], c = source + line[2], d = source + line[3];
        var k = 0;
        while (k < depth)
        {
            var offset = step[k];
            if (k + 4 <= depth && AreNeighbours(step + k, 4)) // neighbours along the depth: transpose 4 × 4
            {
                var (first, second, third, fourth) = Transpose(
                    Vector128.Load(a + offset), Vector128.Load(b + offset), Vector128.Load(c + offset), Vector128.Load(d
                        + offset));
                first.Store(packed + k * width);
                second.Store(packed + (k + 1) * width);
                third.Store(packed + (k + 2) * width);
                fourth.Store(packed + (k + 3) * width);
                k += 4;
                continue;
            }
            Vector128.Create(a[offset], b[offset], c[offset], d[offset]).Store(packed + k * width);
            k++;
        }
    }

    /// <summary>Of four rows of four, the columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector128<float>, Vector128<float>, Vector128<float>, Vector128<float>) Transpose(
        Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d)
    {
        if (!Sse.IsSupported)
        {
            return (Vector128.Create(a[0], b[0], c[0], d[0]), Vector128.Create(a[1], b[1], c[1], d[1]),
                Vector128.Create(a[2], b[2], c[2], d[2]), Vector128.Create(a[3], b[3], c[3], d[3]));
        }
        Vector128<float> abLow = Sse.UnpackLow(a, b), cdLow = Sse.UnpackLow(c, d);
        Vector128<float> abHigh = Sse.UnpackHigh(a, b), cdHigh = Sse.UnpackHigh(c, d);
        return (Sse.MoveLowToHigh(abLow, cdLow), Sse.MoveHighToLow(cdLow, abLow),
            Sse.MoveLowToHigh(abHigh, cdHigh), Sse.MoveHighToLow(cdHigh, abHigh));
    }
}
