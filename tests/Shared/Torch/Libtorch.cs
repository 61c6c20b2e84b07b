using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace VaeFunctions.Tests;

/// <summary>Makes libtorch run in the tests on every Linux with a 64-bit Intel or AMD processor, for which alone it is
/// referenced.</summary>
static class Libtorch
{
    const string Library = "LibTorchSharp";

    static readonly Lazy<nint> adapted = new(() => NativeLibrary.Load(LibraryForOldSystems.Adapt(Library)));

    /// <summary>Whether its tests must run here rather than be skipped.</summary>
    public static bool IsExpected => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64;

    /// <summary>Runs before anything else in the assembly of the tests, however they are started.</summary>
    [ModuleInitializer]
    internal static void Prepare()
    {
        if (!IsExpected) return;
        // .NET's environment is a copy that C's getenv does not see, by which oneDNN and OpenMP find their settings once they are
        // loaded. On virtual machines that hide the processor's caches, oneDNN's convolutions for wider vectors than these give
        // wrong results.
        _ = SetEnvironment("ONEDNN_MAX_CPU_ISA", "SSE41", overwrite: 0);
        _ = SetEnvironment("OMP_NUM_THREADS", "1", overwrite: 0);
        // Asked only after the usual search has failed: where the library loads as it is, it stays as it is.
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += (_, name) => name == Library ? adapted.Value : 0;
    }

    [DllImport("libc", EntryPoint = "setenv", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int SetEnvironment(string name, string value, int overwrite);
}
