using System.Text;
using VaeFunctions.Imaging;

namespace VaeFunctions.Data;

/// <summary><c>folder:PATH</c>: image files in a folder of this machine, or in an archive that was made of one.</summary>
static class FolderSource
{
    /// <summary>Folders within folders; labels need two (train/cat/0001.jpg).</summary>
    const int MaxDepth = 8;

    public static Task<DataSplit> LoadAsync(string source, string path, DataOptions options, CancellationToken cancellation) =>
        ImageTree.LoadAsync(source, Find(source, path, options, cancellation), Environment.ProcessorCount, options, cancellation);

    /// <exception cref="DataException">There is no such folder or archive, or it is damaged.</exception>
    public static FoundFiles Find(string source, string path, DataOptions options, CancellationToken cancellation)
    {
        if (File.Exists(path) && ArchiveNames.IsArchive(path))
            return ArchiveSource.Find(source, new(path), options, cancellation);
        var root = new DirectoryInfo(path);
        if (!root.Exists)
            throw new DataException(
                $"{source}: there is no folder {root.FullName}"
                + (File.Exists(path)
                    ? "; it is a file, and no ZIP or TAR. Unpack it, and name the folder."
                    : ". Check the path."));
        var found = new FoundFiles(root.FullName);
        Walk(root, "", [Real(root)]);
        return found;

        ImageFile Found(string name, FileInfo file)
        {
            var real = file.LinkTarget is null ? file : file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
            var version = real.Exists ? $"{real.Length} {real.LastWriteTimeUtc.Ticks}" : "";
            var changed = real.Exists ? real.LastWriteTimeUtc : default;
            return new ImageFile(name, version, changed, _ => Task.FromResult(Read(file.FullName, options.Limits)));
        }

        // Links are followed, except back to a folder that one came through.
        void Walk(DirectoryInfo folder, string prefix, string[] through)
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (var entry in folder.EnumerateFileSystemInfos())
            {
                var name = prefix + entry.Name;
                if (SystemLitter.Holds(entry.Name)) continue;
                if (entry is DirectoryInfo below)
                {
                    if (through.Length == 1) found.Folders.Add(entry.Name);
                    var real = Real(below);
                    if (through.Contains(real)) continue;
                    if (through.Length < MaxDepth) Walk(below, name + "/", [.. through, real]);
                    else options.Log?.Invoke($"{source}: left out {name}, which lies more than {MaxDepth} folders deep");
                }
                else if (ImageFormats.IsImageName(name))
                {
                    found.Images.Add(Found(name, (FileInfo)entry));
                }
                else if (AttributeTable.IsName(name))
                {
                    found.Attributes = Text(Read(entry.FullName, new ImageLimits { MaxBytes = AttributeTable.MaxBytes }));
                }
                else
                {
                    found.Others.Add(name);
                }
            }
        }
    }

    static string Real(DirectoryInfo folder) => folder.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? folder.FullName;

    /// <summary>A text file's content.</summary>
    public static string Text(byte[] content) => Encoding.UTF8.GetString(content);

    static byte[] Read(string path, ImageLimits limits)
    {
        var length = new FileInfo(path).Length;
        return length == 0 ? [] // nor is a pipe opened, whose end may never come
            : length <= limits.MaxBytes ? File.ReadAllBytes(path)
            : throw new ImageFormatException(
                $"The file has {length:N0} bytes; at most {limits.MaxBytes:N0} are accepted. Make it smaller.");
    }
}
