using System.Collections.Frozen;

namespace VaeFunctions.Imaging;

/// <summary>What systems leave beside people's files: thumbnails of network drives, bins, indexes, the other half of Mac
/// files.</summary>
public static class SystemLitter
{
    static readonly FrozenSet<string> Folders = FrozenSet.ToFrozenSet(
    [
        "@eaDir", "#recycle", "#snapshot", "@Recycle", "@Recently-Snapshot", "@tmp", "@sharebin", // NAS drives
        "$RECYCLE.BIN", "RECYCLER", "RECYCLED", "System Volume Information", "FOUND.000", "Config.Msi", // Windows
        "__MACOSX", "Network Trash Folder", "Temporary Items", // macOS
        "lost+found", // Linux
    ], StringComparer.OrdinalIgnoreCase);

    static readonly FrozenSet<string> Files = FrozenSet.ToFrozenSet(
        ["Thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "Icon\r"], StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a path's file, or a folder that it lies in, is no one's picture but the system's. Names that begin with a
    /// dot are hidden, and the system's too.</summary>
    /// <param name="path">With forward slashes, below what someone has named.</param>
    public static bool Holds(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var segments = path.Split('/');
        return segments.Any(segment => segment.StartsWith('.') && segment is not ("." or "..") || Folders.Contains(segment))
            || Files.Contains(segments[^1]) || segments[^1].StartsWith("SYNOPHOTO_", StringComparison.Ordinal)
            || segments[^1].StartsWith("SYNOFILE_THUMB_", StringComparison.Ordinal);
    }
}
