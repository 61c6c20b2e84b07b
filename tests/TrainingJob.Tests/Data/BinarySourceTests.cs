using System.Buffers.Binary;
using System.IO.Compression;
using VaeFunctions.Data;
using VaeFunctions.Imaging;

namespace VaeFunctions.Tests.Data;

public class IdxSourceTests : Workspace
{
    static readonly byte[] TrainImages = Idx(
        [3, 2, 2], 1, 2, 3, 4, 11, 12, 13, 14, 21, 22, 23, 24), TrainLabels = Idx([3], 1, 0, 4);

    [Theory]
    [InlineData(false, '-')]
    [InlineData(true, '-')]
    [InlineData(false, '.')]
    public async Task Mnists_four_files_are_read_plain_or_compressed(bool compressed, char separator)
    {
        WriteAll(compressed, separator);
        var split = await LoadAsync("idx");
        Assert.Equal(new ImageShape(2, 2, 1), split.Train.Shape);
        Assert.Equal([11, 12, 13, 14], split.Train.Pixels(1).ToArray());
        Assert.Equal([1, 0, 4], split.Train.Labels!);
        Assert.Equal(["0", "1", "2", "3", "4"], split.Test.LabelNames);
        Assert.Equal([9, 9, 9, 9], split.Test.Pixels(0).ToArray());
    }

    [Fact]
    public async Task Images_become_the_models_shape()
    {
        WriteAll();
        Assert.Contains("2×2 but the model takes 4×4",
            await FailAsync("idx", new DataOptions { Shape = new ImageShape(4, 4, 3), Fit = ImageFit.Strict }),
            StringComparison.Ordinal);
        var split = await LoadAsync("idx", new DataOptions { Shape = new ImageShape(4, 4, 3) });
        Assert.Equal(Enumerable.Repeat((byte)9, 48), split.Test.Pixels(0).ToArray());
    }

    [Fact]
    public async Task A_wrong_magic_number_is_shown_beside_the_right_one()
    {
        WriteAll();
        Write("train-images-idx3-ubyte", TrainLabels);
        Assert.Equal(
            "train-images-idx3-ubyte begins with 0x00000801; an IDX file of images begins with 0x00000803.",
            await FailAsync("idx"));
    }

    [Theory]
    [InlineData(3, "ends within its header")]
    [InlineData(20, "holds 1 whole images; its header says 3")]
    [InlineData(27, "holds 2 whole images; its header says 3")]
    public async Task A_file_cut_short_is_refused(int length, string expected)
    {
        WriteAll();
        Write("train-images-idx3-ubyte", TrainImages[..length]);
        Assert.Contains(expected, await FailAsync("idx"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_compressed_file_cut_short_or_broken_is_refused()
    {
        WriteAll(compressed: true);
        var whole = GZip(TrainImages);
        Write("train-images-idx3-ubyte.gz", whole[..^12]);
        Assert.Contains("fetch it again", await FailAsync("idx"), StringComparison.Ordinal);
        Write("train-images-idx3-ubyte.gz", TrainImages);
        Assert.Contains("is broken", await FailAsync("idx"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bytes_after_the_last_image_are_refused()
    {
        WriteAll();
        Write("train-images-idx3-ubyte", [.. TrainImages, 0]);
        Assert.Contains("goes on after what its header promises", await FailAsync("idx"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_header_that_promises_too_much_takes_no_memory()
    {
        WriteAll();
        Write("train-images-idx3-ubyte", Idx([int.MaxValue, 28, 28]));
        Assert.Contains(
            "memory may be used", await FailAsync("idx", new DataOptions { MaxMemory = 1 << 30 }), StringComparison.Ordinal);
        Write("train-images-idx3-ubyte", Idx([1, 60_000, 60_000]));
        Assert.Contains("60000×60000; at most", await FailAsync("idx"), StringComparison.Ordinal);
        Write("train-images-idx3-ubyte", Idx([-1, 28, 28]));
        Assert.Contains("positive number of images", await FailAsync("idx"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Labels_must_be_as_many_as_images()
    {
        WriteAll();
        Write("train-labels-idx1-ubyte", Idx([2], 1, 0));
        Assert.Contains("train-labels-idx1-ubyte has 2 labels for 3 images", await FailAsync("idx"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_file_is_named_and_missing_labels_are_no_labels()
    {
        WriteAll();
        File.Delete(Path.Combine(Root, "train-labels-idx1-ubyte"));
        Assert.Contains("labels for one part only", await FailAsync("idx"), StringComparison.Ordinal);
        File.Delete(Path.Combine(Root, "t10k-labels-idx1-ubyte"));
        Assert.Null((await LoadAsync("idx")).Train.Labels);
        File.Delete(Path.Combine(Root, "t10k-images-idx3-ubyte"));
        Assert.Contains("there is no t10k-images-idx3-ubyte", await FailAsync("idx"), StringComparison.Ordinal);
    }

    void WriteAll(bool compressed = false, char separator = '-')
    {
        Put("train-images", "idx3-ubyte", TrainImages);
        Put("train-labels", "idx1-ubyte", TrainLabels);
        Put("t10k-images", "idx3-ubyte", Idx([1, 2, 2], 9, 9, 9, 9));
        Put("t10k-labels", "idx1-ubyte", Idx([1], 2));

        void Put(string name, string kind, byte[] content) =>
            Write($"{name}{separator}{kind}{(compressed ? ".gz" : "")}", compressed ? GZip(content) : content);
    }

    static byte[] Idx(int[] extents, params byte[] values)
    {
        var header = new byte[4 + 4 * extents.Length];
        (header[2], header[3]) = (8, (byte)extents.Length);
        for (var i = 0; i < extents.Length; i++) BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4 + 4 * i), extents[i]);
        return [.. header, .. values];
    }

    static byte[] GZip(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var stream = new GZipStream(packed, CompressionLevel.Fastest)) stream.Write(content);
        return packed.ToArray();
    }
}

public class CifarSourceTests : Workspace
{
    [Fact]
    public async Task Planes_become_pixels_and_batches_are_read_in_order()
    {
        Write("data_batch_2.bin", Record(3, 30));
        Write("data_batch_1.bin", [.. Record(1, 10), .. Record(9, 20)]);
        Write("test_batch.bin", Record(0, 40));
        var split = await LoadAsync("cifar10");
        Assert.Equal([10, 20, 30], Values(split.Train));
        Assert.Equal([1, 9, 3], split.Train.Labels!);
        Assert.Equal("truck", split.Train.LabelNames[9]);
        Assert.Equal([10, 110, 210, 11, 110, 210], split.Train.Pixels(0)[..6].ToArray()); // red 10 + column, green 110, blue 210
    }

    [Fact]
    public async Task Names_come_from_the_file_beside()
    {
        Write("data_batch_1.bin", Record(1, 10));
        Write("test_batch.bin", Record(0, 40));
        Write("batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n"u8.ToArray());
        Assert.Equal("j", (await LoadAsync("cifar10")).Train.LabelNames[9]);
        Write("batches.meta.txt", "a\nb\n"u8.ToArray());
        Assert.Contains("batches.meta.txt has 2 names", await FailAsync("cifar10"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Broken_batches_are_refused()
    {
        Assert.Contains("lacks data_batch_1.bin", await FailAsync("cifar10"), StringComparison.Ordinal);
        Write("data_batch_1.bin", Record(1, 10));
        Assert.Contains("lacks test_batch.bin", await FailAsync("cifar10"), StringComparison.Ordinal);
        Write("test_batch.bin", Record(1, 10)[..^1]);
        Assert.Contains(
            "test_batch.bin has 3,072 bytes, no multiple of 3,073", await FailAsync("cifar10"), StringComparison.Ordinal);
        Write("test_batch.bin", [.. Record(1, 10), .. Record(10, 10)]);
        Assert.Contains("image 1 of test_batch.bin has the label 10", await FailAsync("cifar10"), StringComparison.Ordinal);
    }

    static byte[] Record(byte label, byte value) =>
    [
        label,
        .. Enumerable.Range(0, 1024).Select(i => (byte)(value + i % 32)),
        .. Enumerable.Repeat((byte)(value + 100), 1024),
        .. Enumerable.Repeat((byte)(value + 200), 1024),
    ];
}
