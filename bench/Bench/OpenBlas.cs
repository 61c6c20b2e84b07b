using System.Runtime.InteropServices;

namespace VaeFunctions.Bench;

/// <summary>The SGEMM to compare with, if it is installed (Debian: libopenblas0-openmp).</summary>
static unsafe class OpenBlas
{
    const int RowMajor = 101, NoTranspose = 111, Transpose = 112;

    static readonly nint Library = NativeLibrary.TryLoad("libopenblas.so.0", out var library) ? library : 0;

    public static bool IsInstalled => Library != 0;

    public static int Threads
    {
        set => ((delegate* unmanaged<int, void>)NativeLibrary.GetExport(Library, "openblas_set_num_threads"))(value);
    }

    /// <summary>The kernels it chose for this CPU.</summary>
    public static string Core =>
        Marshal.PtrToStringAnsi(((delegate* unmanaged<nint>)NativeLibrary.GetExport(Library, "openblas_get_corename"))()) ?? "?";

    /// <summary>result = left · right, or left · rightᵀ; row-major [m, k] · [k, n].</summary>
    public static void Multiply(float[] left, float[] right, float[] result, int m, int n, int k, bool transposeRight)
    {
        var sgemm = (delegate* unmanaged<int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int, void>)
            NativeLibrary.GetExport(Library, "cblas_sgemm");
        fixed (float* a = left, b = right, c = result)
            sgemm(RowMajor, NoTranspose, transposeRight ? Transpose : NoTranspose,
                m, n, k, 1, a, k, b, transposeRight ? k : n, 0, c, n);
    }
}
