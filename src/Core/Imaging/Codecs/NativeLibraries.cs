using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace VaeFunctions.Imaging.Codecs;

/// <summary>The shared libraries that decode images; a missing one is reported by the package that brings it.</summary>
internal static class NativeLibraries
{
    public const string Png = "libpng16.so.16";
    public const string Jpeg = "libturbojpeg.so.0";
    public const string WebP = "libwebp.so.7";

    static readonly ConcurrentDictionary<string, bool> present = new();

    /// <exception cref="DllNotFoundException">The library cannot be loaded.</exception>
    public static void Require(string library, string package)
    {
        if (!present.GetOrAdd(library, static name => NativeLibrary.TryLoad(name, out _)))
            throw new DllNotFoundException($"The library {library} is not installed; on Debian: apt-get install {package}.");
    }
}
