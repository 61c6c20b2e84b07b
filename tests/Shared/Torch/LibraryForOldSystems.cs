using System.Buffers.Binary;
using System.Text;

namespace VaeFunctions.Tests;

/// <summary>A copy of TorchSharp's native library that asks less of the C++ library.</summary>
/// <remarks>
/// It is built with GCC 13, whose &lt;iostream&gt; calls one function, which libstdc++ has had since GLIBCXX_3.4.32; Debian 12's
/// lacks it. The constructor that did the same work before takes its place. What is edited is the table of symbols that the
/// library takes from others: the function's name, the number of the version it is wanted in, and the new version itself, which
/// becomes optional. The format: Linux Standard Base 5, "Symbol versioning", and the System V ABI, chapters 4 and 5. Everything
/// is little-endian.
/// </remarks>
static class LibraryForOldSystems
{
    const uint DynamicSymbols = 11, NeededVersions = 0x6ffffffe, SymbolVersions = 0x6fffffff; // types of sections
    const string NewFunction = "_ZSt21ios_base_library_initv", NewVersion = "GLIBCXX_3.4.32";
    const string OldFunction = "_ZNSt8ios_base4InitC1Ev", OldVersion = "GLIBCXX_3.4";

    /// <summary>Writes the copy beside the library, whose dependencies are found from there, and gives its path.</summary>
    /// <exception cref="FileNotFoundException">The library is not beside the tests.</exception>
    public static string Adapt(string name)
    {
        var original = PathOf(name);
        var file = File.ReadAllBytes(original);
        Edit(file);
        // The original is a hard link to the file in the package cache: it must not be written to. Another process may be loading
        // a copy.
        string copy = Path.ChangeExtension(original, ".adapted.so"), draft = $"{copy}.{Environment.ProcessId}";
        File.WriteAllBytes(draft, file);
        File.Move(draft, copy, overwrite: true);
        return copy;
    }

    /// <summary>Where the package's library lies.</summary>
    public static string PathOf(string name) =>
        Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", $"lib{name}.so");

    /// <exception cref="InvalidDataException">The function or one of the versions is not asked for.</exception>
    public static void Edit(Span<byte> file)
    {
        var (symbols, versions, needed) = (Section(file, DynamicSymbols), Section(file, SymbolVersions),
            Section(file, NeededVersions));
        var names = Header(file, symbols.Link);
        var oldVersion = NeededVersion(file, needed, names, OldVersion);
        var newVersion = NeededVersion(file, needed, names, NewVersion);

        for (var i = 0; i < symbols.Length / 24; i++)
        {
            var name = file[(names.Start + Int32(file, symbols.Start + i * 24))..];
            if (!Holds(name, NewFunction)) continue;
            name[..NewFunction.Length].Clear();
            Encoding.ASCII.GetBytes(OldFunction, name);
            file.Slice(oldVersion + 6, 2).CopyTo(file[(versions.Start + i * 2)..]); // the number by which symbols name a version
            file[newVersion + 4] |= 2; // VER_FLG_WEAK
            return;
        }
        throw new InvalidDataException($"The library takes no {NewFunction} from others; it needs another edit to load here.");
    }

    /// <summary>Where a version's entry begins: its hash (4 bytes), flags (2), number (2), name (4) and the distance to the next
    /// entry (4).</summary>
    static int NeededVersion(ReadOnlySpan<byte> file, (int Start, int Length, int Link) needed,
        (int Start, int Length, int Link) names, string version)
    {
        for (int library = needed.Start, distance = 1; distance > 0; library += distance)
        {
            for (int entry = library + Int32(file, library + 8), next = 1; next > 0; entry += next)
            {
                if (Holds(file[(names.Start + Int32(file, entry + 8))..], version)) return entry;
                next = Int32(file, entry + 12);
            }
            distance = Int32(file, library + 12);
        }
        throw new InvalidDataException($"The library does not ask for {version}; it needs another edit to load here.");
    }

    static (int Start, int Length, int Link) Section(ReadOnlySpan<byte> file, uint type)
    {
        int count = BinaryPrimitives.ReadUInt16LittleEndian(file[0x3c..]), i = 0;
        while (i < count && (uint)Int32(file, Int32(file, 0x28) + i * 64 + 4) != type) i++;
        return i < count
            ? Header(file, i)
            : throw new InvalidDataException($"The library has no section of type 0x{type:x}; is it an ELF file of 64 bits?");
    }

    /// <summary>Where a section lies, and the number of the section that belongs to it.</summary>
    static (int Start, int Length, int Link) Header(ReadOnlySpan<byte> file, int section)
    {
        var header = Int32(file, 0x28) + section * 64;
        return (Int32(file, header + 0x18), Int32(file, header + 0x20), Int32(file, header + 0x28));
    }

    static bool Holds(ReadOnlySpan<byte> at, string text) => at.StartsWith(Encoding.ASCII.GetBytes(text + '\0'));

    /// <summary>The lower half of what may be 64 bits: libraries are smaller than 2 GB.</summary>
    static int Int32(ReadOnlySpan<byte> file, int at) => BinaryPrimitives.ReadInt32LittleEndian(file[at..]);
}
