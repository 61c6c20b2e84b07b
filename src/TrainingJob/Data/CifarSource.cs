using VaeFunctions.Imaging;

namespace VaeFunctions.Data;

/// <summary><c>cifar10:PATH</c>: the binary version's folder. (Krizhevsky, "The CIFAR-10 dataset")</summary>
static class CifarSource
{
    const int Side = 32, Plane = Side * Side, Record = 1 + 3 * Plane; // a label, then the red, green and blue planes
    const int Classes = 10;

    public static DataSplit Load(string source, string folder, DataOptions options, CancellationToken cancellation)
    {
        if (Directory.Exists(Path.Combine(folder, "cifar-10-batches-bin"))) folder = Path.Combine(folder, "cifar-10-batches-bin");
        if (!Directory.Exists(folder))
            throw new DataException($"{source}: there is no folder {Path.GetFullPath(folder)}. Check the path.");
        var target = options.Target(source, new ImageShape(Side, Side, 3));
        var train = Directory.GetFiles(folder, "data_batch_*.bin").Order(StringComparer.Ordinal).ToArray();
        var test = Directory.GetFiles(folder, "test_batch.bin");
        if (train.Length == 0 || test.Length == 0)
            throw new DataException(
                $"{source}: {Path.GetFullPath(folder)} lacks "
                    + $"{(train.Length == 0 ? "data_batch_1.bin … data_batch_5.bin" : "test_batch.bin")}. "
                + "Unpack CIFAR-10's binary version there, not the one for Python.");
        options.CheckMemory(source, train.Concat(test).Sum(path => new FileInfo(path).Length / Record), target);
        var names = ReadNames(source, Path.Combine(folder, "batches.meta.txt"));
        return DataSplit.Of(Read(train), Read(test), source);

        ImageDataset Read(string[] paths)
        {
            var (images, labels) = (new List<byte[]>(), new List<int>());
            foreach (var path in paths)
            {
                cancellation.ThrowIfCancellationRequested();
                ReadBatch(source, path, target, options.Fit, images, labels);
            }
            if ((target.Width, target.Height) != (Side, Side))
                options.TellFit(source, images.Count, images.Count, $"the first, {Side}×{Side}");
            return new ImageDataset(target, [.. images], [.. labels], names);
        }
    }

    static void ReadBatch(
        string source, string path, ImageShape target, ImageFit fit, List<byte[]> images, List<int> labels)
    {
        using var file = File.OpenRead(path);
        var name = Path.GetFileName(path);
        if (file.Length == 0 || file.Length % Record != 0)
            throw new DataException(
                $"{source}: {name} has {file.Length:N0} bytes, no multiple of {Record:N0} (a label and 32×32×3 pixels); "
                + "fetch it again.");
        var record = new byte[Record];
        for (var i = 0; file.Position < file.Length; i++)
        {
            file.ReadExactly(record);
            if (record[0] >= Classes)
                throw new DataException(
                    $"{source}: image {i:N0} of {name} has the label {record[0]}; labels go from 0 to {Classes - 1}. "
                    + "Is it CIFAR-10's binary version?");
            var pixels = new byte[3 * Plane];
            for (var p = 0; p < Plane; p++)
                for (var c = 0; c < 3; c++)
                    pixels[3 * p + c] = record[1 + c * Plane + p];
            images.Add(new Image(Side, Side, 3, pixels).FitTo(target, fit).Pixels);
            labels.Add(record[0]);
        }
    }

    static string[] ReadNames(string source, string path)
    {
        if (!File.Exists(path)) return ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
        var names = File.ReadLines(path).Take(1000).Select(line => line.Trim()).Where(line => line.Length > 0).ToArray();
        return names.Length == Classes
            ? names
            : throw new DataException(
                $"{source}: {Path.GetFileName(path)} has {names.Length} names; it should have {Classes}, one a line.");
    }
}
