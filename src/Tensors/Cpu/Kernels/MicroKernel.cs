using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace VaeFunctions.Cpu.Kernels;

/// <summary>The innermost loop of every product: a tile of sums of outer products, held in registers.</summary>
/// <remarks>Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008. The tile is as large as the
/// register file allows: 12 × 2 accumulators of 16 lanes and 2 operands fill AVX-512's 32 registers, 6 × 2 of 8 or 4 lanes fit
/// 16. The left side is read where it lies, element (i, k) at left[lines[i] + depth[k]]: a broadcast costs the same from
/// anywhere. Avx512F is asked, not Vector512.IsHardwareAccelerated: the runtime denies the latter on CPUs that lower their clock
/// for it, where the wide kernel still wins.</remarks>
static unsafe class MicroKernel
{
    public static readonly int Rows = Avx512F.IsSupported ? 12 : 6;

    public static readonly int Columns = Avx512F.IsSupported ? 32 : Vector256.IsHardwareAccelerated ? 16 : 8;

    /// <summary>tile[i, j] = Σₖ left[lines[i] + depth[k]] · right[k, j], or, accumulating, += it.</summary>
    /// <param name="lines">[Rows]</param>
    /// <param name="depth">[count]</param>
    /// <param name="right">[count, Columns]</param>
    /// <param name="tile">[Rows, Columns]</param>
    public static void Multiply(float* left, int* lines, int* depth, int count, float* right, float* tile, bool accumulate)
    {
        if (Avx512F.IsSupported) Multiply512(left, lines, depth, count, right, tile, accumulate);
        else if (Vector256.IsHardwareAccelerated) MultiplySix<Lanes8>(left, lines, depth, count, right, tile, accumulate);
        else MultiplySix<Lanes4>(left, lines, depth, count, right, tile, accumulate);
    }

    static void Multiply512(float* left, int* lines, int* depth, int count, float* right, float* tile, bool accumulate)
    {
        Vector512<float> c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default;
        Vector512<float> c30 = default, c31 = default, c40 = default, c41 = default, c50 = default, c51 = default;
        Vector512<float> c60 = default, c61 = default, c70 = default, c71 = default, c80 = default, c81 = default;
        Vector512<float> c90 = default, c91 = default, ca0 = default, ca1 = default, cb0 = default, cb1 = default;
        if (accumulate)
        {
            (c00, c01) = Load(tile, 0);
            (c10, c11) = Load(tile, 1);
            (c20, c21) = Load(tile, 2);
            (c30, c31) = Load(tile, 3);
            (c40, c41) = Load(tile, 4);
            (c50, c51) = Load(tile, 5);
            (c60, c61) = Load(tile, 6);
            (c70, c71) = Load(tile, 7);
            (c80, c81) = Load(tile, 8);
            (c90, c91) = Load(tile, 9);
            (ca0, ca1) = Load(tile, 10);
            (cb0, cb1) = Load(tile, 11);
        }
        nint i0 = lines[0], i1 = lines[1], i2 = lines[2], i3 = lines[3], i4 = lines[4], i5 = lines[5];
        nint i6 = lines[6], i7 = lines[7], i8 = lines[8], i9 = lines[9], ia = lines[10], ib = lines[11];
        for (var k = 0; k < count; k++, right += 32)
        {
            var a = left + depth[k];
            Vector512<float> b0 = Vector512.Load(right), b1 = Vector512.Load(right + 16);
            var x = Vector512.Create(a[i0]);
            c00 = Avx512F.FusedMultiplyAdd(x, b0, c00);
            c01 = Avx512F.FusedMultiplyAdd(x, b1, c01);
            x = Vector512.Create(a[i1]);
            c10 = Avx512F.FusedMultiplyAdd(x, b0, c10);
            c11 = Avx512F.FusedMultiplyAdd(x, b1, c11);
            x = Vector512.Create(a[i2]);
            c20 = Avx512F.FusedMultiplyAdd(x, b0, c20);
            c21 = Avx512F.FusedMultiplyAdd(x, b1, c21);
            x = Vector512.Create(a[i3]);
            c30 = Avx512F.FusedMultiplyAdd(x, b0, c30);
            c31 = Avx512F.FusedMultiplyAdd(x, b1, c31);
            x = Vector512.Create(a[i4]);
            c40 = Avx512F.FusedMultiplyAdd(x, b0, c40);
            c41 = Avx512F.FusedMultiplyAdd(x, b1, c41);
            x = Vector512.Create(a[i5]);
            c50 = Avx512F.FusedMultiplyAdd(x, b0, c50);
            c51 = Avx512F.FusedMultiplyAdd(x, b1, c51);
            x = Vector512.Create(a[i6]);
            c60 = Avx512F.FusedMultiplyAdd(x, b0, c60);
            c61 = Avx512F.FusedMultiplyAdd(x, b1, c61);
            x = Vector512.Create(a[i7]);
            c70 = Avx512F.FusedMultiplyAdd(x, b0, c70);
            c71 = Avx512F.FusedMultiplyAdd(x, b1, c71);
            x = Vector512.Create(a[i8]);
            c80 = Avx512F.FusedMultiplyAdd(x, b0, c80);
            c81 = Avx512F.FusedMultiplyAdd(x, b1, c81);
            x = Vector512.Create(a[i9]);
            c90 = Avx512F.FusedMultiplyAdd(x, b0, c90);
            c91 = Avx512F.FusedMultiplyAdd(x, b1, c91);
            x = Vector512.Create(a[ia]);
            ca0 = Avx512F.FusedMultiplyAdd(x, b0, ca0);
            ca1 = Avx512F.FusedMultiplyAdd(x, b1, ca1);
            x = Vector512.Create(a[ib]);
            cb0 = Avx512F.FusedMultiplyAdd(x, b0, cb0);
            cb1 = Avx512F.FusedMultiplyAdd(x, b1, cb1);
        }
        Store(tile, 0, c00, c01);
        Store(tile, 1, c10, c11);
        Store(tile, 2, c20, c21);
        Store(tile, 3, c30, c31);
        Store(tile, 4, c40, c41);
        Store(tile, 5, c50, c51);
        Store(tile, 6, c60, c61);
        Store(tile, 7, c70, c71);
        Store(tile, 8, c80, c81);
        Store(tile, 9, c90, c91);
        Store(tile, 10, ca0, ca1);
        Store(tile, 11, cb0, cb1);

        static (Vector512<float>, Vector512<float>) Load(float* tile, int row) =>
            (Vector512.Load(tile + row * 32), Vector512.Load(tile + row * 32 + 16));

        static void Store(float* tile, int row, Vector512<float> first, Vector512<float> second)
        {
            first.Store(tile + row * 32);
            second.Store(tile + row * 32 + 16);
        }
    }

    static void MultiplySix<TVector>(float* left, int* lines, int* depth, int count, float* right, float* tile, bool accumulate)
        where TVector : struct, IVector<TVector>
    {
        TVector c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default;
        TVector c30 = default, c31 = default, c40 = default, c41 = default, c50 = default, c51 = default;
        if (accumulate)
        {
            (c00, c01) = Load(tile, 0);
            (c10, c11) = Load(tile, 1);
            (c20, c21) = Load(tile, 2);
            (c30, c31) = Load(tile, 3);
            (c40, c41) = Load(tile, 4);
            (c50, c51) = Load(tile, 5);
        }
        nint i0 = lines[0], i1 = lines[1], i2 = lines[2], i3 = lines[3], i4 = lines[4], i5 = lines[5];
        for (var k = 0; k < count; k++, right += 2 * TVector.Count)
        {
            var a = left + depth[k];
            TVector b0 = TVector.Load(right), b1 = TVector.Load(right + TVector.Count);
            var x = TVector.Create(a[i0]);
            c00 = TVector.MultiplyAdd(x, b0, c00);
            c01 = TVector.MultiplyAdd(x, b1, c01);
            x = TVector.Create(a[i1]);
            c10 = TVector.MultiplyAdd(x, b0, c10);
            c11 = TVector.MultiplyAdd(x, b1, c11);
            x = TVector.Create(a[i2]);
            c20 = TVector.MultiplyAdd(x, b0, c20);
            c21 = TVector.MultiplyAdd(x, b1, c21);
            x = TVector.Create(a[i3]);
            c30 = TVector.MultiplyAdd(x, b0, c30);
            c31 = TVector.MultiplyAdd(x, b1, c31);
            x = TVector.Create(a[i4]);
            c40 = TVector.MultiplyAdd(x, b0, c40);
            c41 = TVector.MultiplyAdd(x, b1, c41);
            x = TVector.Create(a[i5]);
            c50 = TVector.MultiplyAdd(x, b0, c50);
            c51 = TVector.MultiplyAdd(x, b1, c51);
        }
        Store(tile, 0, c00, c01);
        Store(tile, 1, c10, c11);
        Store(tile, 2, c20, c21);
        Store(tile, 3, c30, c31);
        Store(tile, 4, c40, c41);
        Store(tile, 5, c50, c51);

        static (TVector, TVector) Load(float* tile, int row) =>
            (TVector.Load(tile + 2 * row * TVector.Count), TVector.Load(tile + (2 * row + 1) * TVector.Count));

        static void Store(float* tile, int row, TVector first, TVector second)
        {
            first.Store(tile + 2 * row * TVector.Count);
            second.Store(tile + (2 * row + 1) * TVector.Count);
        }
    }

    /// <summary>What the kernel asks of a vector of either width.</summary>
    interface IVector<TSelf>
        where TSelf : struct, IVector<TSelf>
    {
        static abstract int Count { get; }

        static abstract TSelf Load(float* source);

        static abstract TSelf Create(float value);

        static abstract TSelf MultiplyAdd(TSelf left, TSelf right, TSelf sum);

        void Store(float* target);
    }

    readonly struct Lanes8(Vector256<float> value) : IVector<Lanes8>
    {
        readonly Vector256<float> value = value;

        public static int Count => 8;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes8 Load(float* source) => new(Vector256.Load(source));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes8 Create(float value) => new(Vector256.Create(value));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes8 MultiplyAdd(Lanes8 left, Lanes8 right, Lanes8 sum) =>
            new(Vector256.MultiplyAddEstimate(left.value, right.value, sum.value));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Store(float* target) => value.Store(target);
    }

    readonly struct Lanes4(Vector128<float> value) : IVector<Lanes4>
    {
        readonly Vector128<float> value = value;

        public static int Count => 4;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes4 Load(float* source) => new(Vector128.Load(source));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes4 Create(float value) => new(Vector128.Create(value));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes4 MultiplyAdd(Lanes4 left, Lanes4 right, Lanes4 sum) =>
            new(Vector128.MultiplyAddEstimate(left.value, right.value, sum.value));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Store(float* target) => value.Store(target);
    }
}
