using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using VaeFunctions.Imaging;

namespace VaeFunctions.Data;

/// <summary>Decoded images cannot be kept: the folder cannot be written, or the disk is full.</summary>
sealed class CacheException(string message, Exception inner) : Exception(message, inner);

/// <summary>
/// A folder that keeps data sets decoded, so that the next run need not. Everything in it may be deleted at any time; what no run
/// has used for a month is deleted when something is added.
/// </summary>
sealed class DecodedCache(string folder)
{
    /// <summary>Names the folder instead of the usual one; <c>off</c> keeps nothing.</summary>
    public const string Variable = "VAE_CACHE";

    /// <summary>How the names of files end that are not whole yet.</summary>
    public const string Draft = ".draft";

    const string Ending = ".rows";

    static readonly TimeSpan Kept = TimeSpan.FromDays(30), DraftKept = TimeSpan.FromDays(1);

    /// <summary>Files whose times are nearer than this may be written again without their times telling.</summary>
    static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);

    /// <summary>Makes a file of a length; to be replaced where a disk is to be full.</summary>
    public Func<string, long, SafeFileHandle> CreateFile { get; init; } =
        static (path, length) =>
            File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, preallocationSize: length);

    /// <summary>The user's folder for such things; null where nothing is to be kept.</summary>
    public static string? UsualFolder
    {
        get
        {
            if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
                return named == "off" ? null : Path.GetFullPath(named);
            var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            var caches =
                OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
                : OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Caches")
                : Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg ? xdg
                : home.Length > 0 ? Path.Combine(home, ".cache") : "";
            return caches.Length > 0 && Path.IsPathRooted(caches) ? Path.Combine(caches, "vae-functions", "decoded") : null;
        }
    }

    public string Folder => folder;

    /// <summary>
    /// A hash of what decoded images depend on: their files' place, names, sizes and times, and how they are decoded.
    /// </summary>
    public static byte[] KeyOf(string place, IReadOnlyList<ImageFile> files, DataOptions options)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(string.Create(CultureInfo.InvariantCulture,
            $"decoding {ImageCodec.DecodingVersion}; {options.Shape}; {options.Fit}; "
            + $"{options.Limits.MaxPixels}; {options.Limits.MaxBytes}\n{place}\n"));
        foreach (var file in files) Add($"{file.Path}\0{file.Version}\n");
        return hash.GetHashAndReset();

        void Add(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text));
    }

    /// <summary>The images that were kept under a key; null where there are none, or damaged ones, which are deleted.</summary>
    public DecodedRows? TryOpen(byte[] key, Action<string>? log)
    {
        var path = PathOf(key);
        if (!File.Exists(path)) return null;
        try
        {
            var rows = DecodedRows.Open(path, key);
            TryTouch(path);
            return rows;
        }
        catch (InvalidDataException fault)
        {
            log?.Invoke($"The decoded images in {path} are damaged and are decoded anew. {fault.Message}");
            TryDelete(path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            log?.Invoke($"The decoded images in {path} cannot be read, so they are decoded anew. {fault.Message}");
        }
        return null;
    }

    /// <summary>Whether files have been left alone long enough for their times to tell of every change.</summary>
    public static bool AreSettled(IEnumerable<ImageFile> files)
    {
        var newest = DateTime.UtcNow - Settled;
        return files.All(file => file.Changed < newest);
    }

    /// <summary>A file to write decoded images to; the folder is made, and what nobody used for long is removed.</summary>
    /// <exception cref="CacheException">The folder cannot be made, or the disk has too little space.</exception>
    public DecodedRows.Writer Create(byte[] key, ImageShape shape, int count)
    {
        try
        {
            Directory.CreateDirectory(folder);
            RemoveOld();
            return new DecodedRows.Writer(PathOf(key), key, shape, count, CreateFile);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CacheException(fault.Message, fault);
        }
    }

    public string PathOf(byte[] key) => Path.Combine(folder, Convert.ToHexStringLower(key) + Ending);

    /// <summary>A hash over decoded images that was reckoned before, or else is now; it is kept beside them.</summary>
    /// <param name="outline">Tells what of the images is hashed, and with what else.</param>
    public static string Remember(string rowsPath, string outline, Func<string> reckon)
    {
        var path = $"{rowsPath}.{outline}";
        try
        {
            // The hash stands before its own hash, so that one that is damaged is not taken for that of other images.
            if (File.Exists(path) && File.ReadAllText(path).Split(' ') is [var known, var seal] && seal == Sealed(known))
                return known;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
        }
        var hash = reckon();
        try
        {
            var draft = $"{path}.{Guid.NewGuid():N}{Draft}";
            File.WriteAllText(draft, $"{hash} {Sealed(hash)}");
            File.Move(draft, path, overwrite: true);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // It is reckoned again the next time.
        }
        return hash;
    }

    void RemoveOld()
    {
        var now = DateTime.UtcNow;
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles())
        {
            var isDraft = file.Name.EndsWith(Draft, StringComparison.Ordinal);
            var isOurs = isDraft || file.Name.Contains(Ending, StringComparison.Ordinal);
            if (isOurs && now - file.LastWriteTimeUtc > (isDraft ? DraftKept : Kept)) TryDelete(file.FullName);
        }
    }

    /// <summary>A file's time of writing says when it was last used.</summary>
    static void TryTouch(string path)
    {
        try
        {
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
        }
    }

    public static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
        }
    }

    static string Sealed(string hash) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(hash)));
}
