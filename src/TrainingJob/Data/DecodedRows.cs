using System.Buffers.Binary;
using System.IO.Hashing;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using VaeFunctions.Imaging;

namespace VaeFunctions.Data;

/// <summary>Decoded images in a file, read through a map, so that a set may be larger than memory.</summary>
/// <remarks>
/// The file is a header, the images one after another, and a checksum of each. It is written under another name, renamed when it
/// is whole, and never changed. The map stays until the process ends: it takes addresses, not memory.
/// </remarks>
sealed unsafe class DecodedRows : IRows
{
    const int HeaderSize = 128, Digest = sizeof(ulong);

    /// <summary>The checksum of an image that could not be read.</summary>
    const ulong Unread = 0;

    static ReadOnlySpan<byte> Magic => "VAEROWS1"u8;

    readonly byte* start;
    readonly ulong[] checksums;

    DecodedRows(string path, byte* start, ImageShape shape, ulong[] checksums)
    {
        (Path, Shape, this.checksums) = (path, shape, checksums);
        Missing = [.. Enumerable.Range(0, checksums.Length).Where(i => checksums[i] == Unread)];
        this.start = start;
    }

    public string Path { get; }

    public ImageShape Shape { get; }

    public int Count => checksums.Length;

    public IReadOnlyList<int> Missing { get; }

    /// <exception cref="DataException">
    /// The file was damaged after it was written; it is deleted, and the next run decodes anew.
    /// </exception>
    public ReadOnlySpan<byte> this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            var row = new ReadOnlySpan<byte>(start + HeaderSize + (long)index * Shape.Size, Shape.Size);
            if (XxHash3.HashToUInt64(row) == checksums[index]) return row;
            DecodedCache.TryDelete(Path);
            throw new DataException(
                $"Image {index:N0} of the decoded images in {Path} is damaged. "
                + "The file was deleted: run again, which decodes anew.");
        }
    }

    /// <summary>Opens a file that was written whole.</summary>
    /// <exception cref="InvalidDataException">It is damaged, cut short, or of another set.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static DecodedRows Open(string path, ReadOnlySpan<byte> key)
    {
        using var file = File.OpenHandle(path, options: FileOptions.RandomAccess, share: FileShare.Read | FileShare.Delete);
        var length = RandomAccess.GetLength(file);
        Span<byte> header = stackalloc byte[HeaderSize];
        if (length < HeaderSize || RandomAccess.Read(file, header, 0) < HeaderSize
            || !header.StartsWith(Magic) || !header[32..].StartsWith(key))
            throw new InvalidDataException("Its header is not that of these images.");
        var (count, shape) = (BinaryPrimitives.ReadInt32LittleEndian(header[8..]), ShapeOf(header));
        var end = HeaderSize + (long)count * shape.Size;
        if (count < 1 || shape.Size < 1 || length != end + (long)count * Digest)
            throw new InvalidDataException($"It has {length:N0} bytes; its header promises others.");
        var checksums = new ulong[count];
        RandomAccess.Read(file, MemoryMarshal.AsBytes(checksums.AsSpan()), end);
        if (BinaryPrimitives.ReadUInt64LittleEndian(header[64..]) != Seal(header, checksums))
            throw new InvalidDataException("Its header or its checksums are damaged.");

        // The view outlives the file's handle and the map's.
        using var map = MemoryMappedFile.CreateFromFile(
            file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        var view = map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read).SafeMemoryMappedViewHandle;
        byte* start = null;
        view.AcquirePointer(ref start); // never released: rows are handed out for good
        return new DecodedRows(path, start, shape, checksums);
    }

    /// <summary>The header's numbers and all checksums under one.</summary>
    static ulong Seal(ReadOnlySpan<byte> header, ulong[] checksums)
    {
        var hash = new XxHash3();
        hash.Append(header[..64]);
        hash.Append(MemoryMarshal.AsBytes(checksums.AsSpan()));
        return hash.GetCurrentHashAsUInt64();
    }

    static ImageShape ShapeOf(ReadOnlySpan<byte> header) => new(
        BinaryPrimitives.ReadInt32LittleEndian(header[12..]), BinaryPrimitives.ReadInt32LittleEndian(header[16..]),
        BinaryPrimitives.ReadInt32LittleEndian(header[20..]));

    /// <summary>Writes such a file, from any thread, beside its place, and puts it there when it is whole.</summary>
    public sealed class Writer : IDisposable
    {
        readonly string path, draft;
        readonly byte[] key;
        readonly ImageShape shape;
        readonly ulong[] checksums;
        readonly SafeFileHandle file;

        /// <param name="create">Makes a file of a length, so that a full disk is noticed before the work.</param>
        /// <exception cref="IOException">There is not as much space.</exception>
        public Writer(string path, byte[] key, ImageShape shape, int count, Func<string, long, SafeFileHandle> create)
        {
            (this.path, this.key, this.shape, checksums) = (path, key, shape, new ulong[count]);
            draft = $"{path}.{Guid.NewGuid():N}{DecodedCache.Draft}";
            file = create(draft, End + (long)count * Digest);
        }

        long End => HeaderSize + (long)checksums.Length * shape.Size;

        /// <exception cref="CacheException">The disk is full.</exception>
        public void Write(int index, ReadOnlySpan<byte> row)
        {
            checksums[index] = XxHash3.HashToUInt64(row);
            try
            {
                RandomAccess.Write(file, row, HeaderSize + (long)index * shape.Size);
            }
            catch (IOException fault)
            {
                throw new CacheException(fault.Message, fault);
            }
        }

        /// <summary>Completes the file, puts it into its place, where the same images may lie already, and opens it.</summary>
        /// <exception cref="CacheException">The disk is full.</exception>
        public DecodedRows Commit()
        {
            var header = new byte[HeaderSize];
            Magic.CopyTo(header);
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(8), checksums.Length);
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(12), shape.Height);
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(16), shape.Width);
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(20), shape.Channels);
            key.CopyTo(header, 32);
            BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(64), Seal(header, checksums));
            try
            {
                RandomAccess.Write(file, MemoryMarshal.AsBytes(checksums.AsSpan()), End);
                RandomAccess.Write(file, header, 0);
                file.Dispose();
                File.Move(draft, path, overwrite: true);
                return Open(path, key);
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                throw new CacheException(fault.Message, fault);
            }
        }

        public void Dispose()
        {
            file.Dispose();
            DecodedCache.TryDelete(draft);
        }
    }
}
