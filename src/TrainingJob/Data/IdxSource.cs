using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using VaeFunctions.Imaging;

namespace VaeFunctions.Data;

/// <summary>
/// <c>idx:PATH</c>: a folder with MNIST's four IDX files, plain or as .gz. (LeCun and Cortes, "THE MNIST DATABASE", file formats)
/// </summary>
static class IdxSource
{
    const int LabelMagic = 0x0801, ImageMagic = 0x0803; // unsigned bytes in one and in three dimensions

    public static DataSplit Load(string source, string folder, DataOptions options, CancellationToken cancellation)
    {
        if (!Directory.Exists(folder))
            throw new DataException($"{source}: there is no folder {Path.GetFullPath(folder)}. Check the path.");
        var train = ReadPart("train");
        var test = ReadPart("t10k");
        if (train.Found != test.Found)
            throw new DataException(
                $"{source}: the images to train on are {train.Found} but those to test with {test.Found}; they must be alike.");
        if ((train.Labels is null) != (test.Labels is null))
            throw new DataException(
                $"{source}: there are labels for one part only; add "
                    + $"{(train.Labels is null ? "train" : "t10k")}-labels-idx1-ubyte, or remove the others.");
        string[] names = train.Labels is null
            ? []
            : [.. Enumerable.Range(0, train.Labels.Concat(test.Labels!).Max() + 1).Select(
                label => label.ToString(CultureInfo.InvariantCulture))];
        var shape = options.Target(source, train.Found);
        var (all, found) = (train.Images.Length + test.Images.Length, train.Found);
        if ((shape.Width, shape.Height) != (found.Width, found.Height))
            options.TellFit(source, all, all, $"the first, {found.Width}×{found.Height}");
        return DataSplit.Of(
            new ImageDataset(shape, train.Images, train.Labels, names), new ImageDataset(shape, test.Images, test.Labels, names),
            source);

        (ImageShape Found, byte[][] Images, int[]? Labels) ReadPart(string part)
        {
            var images = Find($"{part}-images", "idx3-ubyte")
                ?? throw new DataException(
                    $"{source}: there is no {part}-images-idx3-ubyte, plain or as .gz, in {Path.GetFullPath(folder)}.");
            var (found, pixels) = Read(images, file => ReadImages(source, file, options, cancellation));
            if (Find($"{part}-labels", "idx1-ubyte") is not { } path) return (found, pixels, null);
            var labels = Read(path, file => ReadLabels(file, pixels.Length));
            return (found, pixels, labels);
        }

        // As LeCun's page names them, and as some archives unpack.
        string? Find(string name, string kind) =>
            ((string[])[$"{name}-{kind}", $"{name}.{kind}"]).SelectMany(file => (string[])[file, file + ".gz"])
            .Select(file => Path.Combine(folder, file)).FirstOrDefault(File.Exists);

        T Read<T>(string path, Func<Idx, T> read)
        {
            using var file = new Idx(source, path);
            return file.ReadToEnd(read);
        }
    }

    static (ImageShape Found, byte[][] Images) ReadImages(
        string source, Idx file, DataOptions options, CancellationToken cancellation)
    {
        file.ExpectMagic(ImageMagic, "images");
        var (count, height, width) = (file.ReadExtent("images"), file.ReadExtent("rows"), file.ReadExtent("columns"));
        if ((long)width * height > options.Limits.MaxPixels)
            throw file.Wrong(
                $"says that its images are {width}×{height}; at most {options.Limits.MaxPixels:N0} pixels are accepted");
        var found = new ImageShape(height, width, 1);
        var target = options.Target(source, found);
        options.CheckMemory(source, count, target);
        var images = new List<byte[]>(); // grows with what is really there, whatever the header promises
        while (images.Count < count)
        {
            cancellation.ThrowIfCancellationRequested();
            var pixels = new byte[found.Size];
            file.Fill(pixels, () => $"holds {images.Count:N0} whole images; its header says {count:N0}");
            images.Add(new Image(found, pixels).FitTo(target, options.Fit).Pixels);
            if (images.Count % 1000 == 0) options.Progress?.Invoke(images.Count, count);
        }
        return (found, [.. images]);
    }

    static int[] ReadLabels(Idx file, int images)
    {
        file.ExpectMagic(LabelMagic, "labels");
        var count = file.ReadExtent("labels");
        if (count != images) throw file.Wrong($"has {count:N0} labels for {images:N0} images; take both files from one set");
        var labels = new byte[count];
        file.Fill(labels, () => $"ends before its {count:N0} labels do");
        return Array.ConvertAll(labels, label => (int)label);
    }

    /// <summary>A file of big-endian numbers and bytes, whose every fault is reported under its name.</summary>
    sealed class Idx(string source, string path) : IDisposable
    {
        readonly Stream stream = new BufferedStream(path.EndsWith(".gz", StringComparison.Ordinal)
            ? new GZipStream(File.OpenRead(path), CompressionMode.Decompress)
            : File.OpenRead(path), 1 << 16);

        public void Dispose() => stream.Dispose();

        /// <exception cref="DataException">It holds more than was read, or its compression is broken.</exception>
        public T ReadToEnd<T>(Func<Idx, T> read)
        {
            try
            {
                var result = read(this);
                return stream.ReadByte() < 0
                    ? result
                    : throw Wrong("goes on after what its header promises; it is damaged or of another kind");
            }
            catch (InvalidDataException error)
            {
                throw Wrong($"is broken or cut short ({error.Message}); fetch it again");
            }
        }

        public void ExpectMagic(int expected, string kind)
        {
            if (ReadNumber() is var magic && magic != expected)
                throw Wrong($"begins with 0x{magic:X8}; an IDX file of {kind} begins with 0x{expected:X8}");
        }

        public int ReadExtent(string what) =>
            ReadNumber() is > 0 and var extent ? extent : throw Wrong($"does not say a positive number of {what}");

        public void Fill(byte[] buffer, Func<string> shortage)
        {
            if (stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false) < buffer.Length)
                throw Wrong(shortage() + "; fetch it again");
        }

        public DataException Wrong(string what) => new($"{source}: {Path.GetFileName(path)} {what}.");

        int ReadNumber()
        {
            var number = new byte[4];
            Fill(number, () => "ends within its header");
            return BinaryPrimitives.ReadInt32BigEndian(number);
        }
    }
}
