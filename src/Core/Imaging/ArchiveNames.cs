namespace VaeFunctions.Imaging;

/// <summary>Archives of images, known by their names.</summary>
public static class ArchiveNames
{
    public static bool IsArchive(string path) => IsZip(path) || IsTar(path) || IsCompressedTar(path);

    public static bool IsZip(string path) => Ends(path, ".zip");

    public static bool IsTar(string path) => Ends(path, ".tar");

    /// <summary>A TAR that cannot be read from the middle.</summary>
    public static bool IsCompressedTar(string path) => Ends(path, ".tar.gz") || Ends(path, ".tgz");

    static bool Ends(string path, string ending)
    {
        ArgumentNullException.ThrowIfNull(path);
        return path.EndsWith(ending, StringComparison.OrdinalIgnoreCase);
    }
}
