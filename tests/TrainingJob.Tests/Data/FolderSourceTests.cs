using VaeFunctions.Data;
using VaeFunctions.Imaging;

namespace VaeFunctions.Tests.Data;

public class FolderSourceTests : Workspace
{
    const string Names = ImageFormats.Names;

    [Fact]
    public async Task Folders_below_train_and_test_are_the_split_and_their_names_the_labels()
    {
        Write("train/dog/b.png", Png(1));
        Write("train/dog/a.png", Png(2));
        Write("train/cat/z.png", Png(3));
        Write("test/dog/a.png", Png(4));
        var split = await LoadAsync("folder");
        Assert.Equal(["cat", "dog"], split.Train.LabelNames);
        Assert.Equal([3, 2, 1], Values(split.Train)); // in the ordinal order of cat/z, dog/a, dog/b
        Assert.Equal([0, 1, 1], split.Train.Labels!);
        Assert.Equal([4], Values(split.Test));
        Assert.Equal([1], split.Test.Labels!);
        Assert.Equal(new ImageShape(3, 4, 1), split.Train.Shape);
    }

    [Fact]
    public async Task A_flat_folder_has_no_labels_and_is_split_by_its_seed()
    {
        for (byte i = 0; i < 40; i++) Write($"{i:D2}.png", Png(i));
        var split = await LoadAsync("folder", new DataOptions { Cache = null, TestFraction = 0.25, Seed = 5 });
        Assert.Null(split.Train.Labels);
        Assert.Equal((30, 10), (split.Train.Count, split.Test.Count));
        Assert.Equal(Enumerable.Range(0, 40), Values(split.Train).Concat(Values(split.Test)).Order());
        Assert.Equal(Values(split.Train).Order(), Values(split.Train));

        var again = await LoadAsync("folder", new DataOptions { Cache = null, TestFraction = 0.25, Seed = 5 });
        var other = await LoadAsync("folder", new DataOptions { Cache = null, TestFraction = 0.25, Seed = 6 });
        Assert.Equal(Values(split.Test), Values(again.Test));
        Assert.Equal(split.Fingerprint, again.Fingerprint);
        Assert.NotEqual(Values(split.Test), Values(other.Test));
    }

    [Fact]
    public async Task Images_are_read_whatever_their_names_say()
    {
        Write("a.png", Resource("baseline.jpg"));
        Write("b.JPG", Resource("lossy.webp"));
        Write("c.webp", Png(9, 48, 40));
        var split = await LoadAsync("folder");
        Assert.Equal(3, split.Train.Count + split.Test.Count);
        Assert.Equal(new ImageShape(40, 48, 3), split.Train.Shape); // one is grey, two are RGB
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Channels_become_the_models_without_asking(int channels)
    {
        Write("grey.png", Png(77));
        Write("rgb.png", Png(77, channels: 3));
        var split = await LoadAsync("folder", new DataOptions { Cache = null, Shape = new ImageShape(3, 4, channels) });
        Assert.Equal(channels, split.Train.Shape.Channels);
        Assert.All((ImageDataset[])[split.Train, split.Test],
            part => Assert.Equal(Enumerable.Repeat((byte)77, 12 * channels), part.Pixels(0).ToArray()));
    }

    [Fact]
    public async Task Other_files_are_skipped_and_counted_and_hidden_ones_passed_over()
    {
        Write("a.png", Png(1));
        Write("b.png", Png(2));
        Write("notes.txt", [65]);
        Write("Thumbs.db", [1]);
        Write(".DS_Store", [1]);
        Write("._a.png", [1]);
        Write(".git/c.png", Png(3));
        var split = await LoadAsync("folder");
        Assert.Equal(2, split.Train.Count + split.Test.Count);
        Assert.Contains(
            Log, line => line.Contains($"skipped 1 file that is no {Names}, such as notes.txt", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Links_are_followed_but_not_in_circles()
    {
        Write("real/a.png", Png(1));
        Write("real/b.png", Png(2));
        Directory.CreateSymbolicLink(Path.Combine(Root, "linked"), Path.Combine(Root, "real"));
        Directory.CreateSymbolicLink(Path.Combine(Root, "real/up"), Root);
        Directory.CreateSymbolicLink(Path.Combine(Root, "real/self"), Path.Combine(Root, "real"));
        var split = await LoadAsync("folder");
        Assert.Equal(["linked", "real"], split.Train.LabelNames.Concat(split.Test.LabelNames).Distinct().Order());
        Assert.Equal(4, split.Train.Count + split.Test.Count);
    }

    [Fact]
    public async Task Mixed_sizes_are_refused_under_strict_with_two_files_and_the_remedy()
    {
        Write("a.png", Png(1));
        Write("b.png", Png(2, width: 9));
        Write("c.png", Png(3));
        var options = new DataOptions { Cache = null, Shape = new ImageShape(3, 4, 1), Fit = ImageFit.Strict };
        var message = await FailAsync("folder", options);
        Assert.Contains("a.png is 4×3, b.png is 9×3", message, StringComparison.Ordinal);
        Assert.Contains("--fit crop", message, StringComparison.Ordinal);
        Assert.Contains("a.png is 4×3, b.png is 9×3", await FailAsync("folder"), StringComparison.Ordinal);

        var split = await LoadAsync("folder", options with { Fit = ImageFit.Crop });
        Assert.Equal([1, 2, 3], Values(split.Train).Concat(Values(split.Test)).Order());
    }

    [Fact]
    public async Task Another_size_than_the_models_is_cropped_and_scaled_and_refused_under_strict()
    {
        Write("a.png", Png(1, 48, 40));
        Write("b.png", Png(2, 48, 40));
        var options = new DataOptions { Cache = null, Shape = new ImageShape(32, 32, 3) };
        Assert.Contains("the images are 48×40 but the model takes 32×32. --fit crop",
            await FailAsync("folder", options with { Fit = ImageFit.Strict }), StringComparison.Ordinal);
        Assert.Equal(options.Shape, (await LoadAsync("folder", options)).Train.Shape);
        Assert.Contains(Log, line => line.Contains(
            "2 of 2 images are not 32×32, such as a.png, 48×40; they are cropped in the middle", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Broken_images_are_named_with_their_cause_and_number()
    {
        for (byte i = 0; i < 9; i++) Write($"{i}.png", Png(i));
        Write("0.png", []);
        Write("3.png", Png(3)[..^20]);
        Write("4.jpg", Resource("baseline.jpg")[..300]);
        Write("5.png", "not an image"u8.ToArray());
        var options = new DataOptions { Cache = null, MaxUnreadable = new Allowance(3, 0) };
        var message = await FailAsync("folder", options);
        Assert.StartsWith("4 of 10 images cannot be read:", message, StringComparison.Ordinal);
        Assert.Contains("0.png: Not an image that is read here: it is empty", message, StringComparison.Ordinal);
        Assert.Contains("3.png: The PNG is cut short", message, StringComparison.Ordinal);
        Assert.Contains("4.jpg: The JPEG is cut short", message, StringComparison.Ordinal);
        Assert.Contains("and 1 more", message, StringComparison.Ordinal);
        Assert.EndsWith("--max-unreadable 4", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_is_absent_empty_or_a_file_is_said_to_be_so()
    {
        Assert.StartsWith($"there is no {Names}. Put images there", await FailAsync("folder"), StringComparison.Ordinal);
        Write("a.txt", [1]);
        Assert.StartsWith(
            $"there is no {Names} among 1 file, such as a.txt", await FailAsync("folder"), StringComparison.Ordinal);
        var absent = await Assert.ThrowsAsync<DataException>(
            () => DataSources.LoadAsync($"folder:{Root}/none", new DataOptions { Cache = null }));
        Assert.Contains("there is no folder", absent.Message, StringComparison.Ordinal);
        var file = await Assert.ThrowsAsync<DataException>(
            () => DataSources.LoadAsync($"folder:{Root}/a.txt", new DataOptions { Cache = null }));
        Assert.Contains("it is a file", file.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_image_cannot_be_split()
    {
        Write("a.png", Png(1));
        Assert.Contains("at least 2 are needed", await FailAsync("folder"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Labels_for_a_part_only_are_refused()
    {
        Write("cat/a.png", Png(1));
        Write("b.png", Png(2));
        Assert.Contains("b.png lies beside label folders such as cat", await FailAsync("folder"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_label_that_only_test_images_have_is_left_out_where_few_have_it_else_refused()
    {
        Write("train/cat/a.png", Png(1));
        Write("test/cat/a.png", Png(2));
        Write("test/dog/a.png", Png(3));
        var options = new DataOptions { Cache = null, MaxUnreadable = default };
        Assert.Contains("dog/a.png is in the test part with the label dog, which the training part lacks",
            await FailAsync("folder", options), StringComparison.Ordinal);
        Write("test/cat/b.png", Png(4));
        var split = await LoadAsync("folder"); // one of four is few enough to go on without it
        Assert.Equal(["cat"], split.Train.LabelNames);
        Assert.Equal((1, 2), (split.Train.Count, split.Test.Count));
    }

    [Fact]
    public async Task More_images_than_memory_are_refused_before_they_are_read()
    {
        for (byte i = 0; i < 100; i++) Write($"{i}.png", Png(i, 32, 32));
        Assert.Contains("memory may be used", await FailAsync("folder", new DataOptions { Cache = null, MaxMemory = 50_000 }),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_beyond_the_limits_are_broken_images()
    {
        Write("a.png", Png(1));
        Write("b.png", Png(2, 100, 100));
        var options = new DataOptions { Cache = null, MaxUnreadable = default };
        var message = await FailAsync("folder", options with { Limits = new ImageLimits { MaxPixels = 9999 } });
        Assert.Contains("b.png: The PNG says it is 100×100 pixels; at most 9,999", message, StringComparison.Ordinal);
        Write("b.png", new byte[5000]);
        message = await FailAsync("folder", options with { Limits = new ImageLimits { MaxBytes = 4000 } });
        Assert.Contains("b.png: The file has 5,000 bytes", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Loading_can_be_cancelled()
    {
        for (byte i = 0; i < 20; i++) Write($"{i}.png", Png(i));
        using var cancel = new CancellationTokenSource();
        var options = new DataOptions { Cache = null, Log = _ => cancel.Cancel() };
        Write("a.txt", [1]); // its mention in the log cancels
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => DataSources.LoadAsync($"folder:{Root}", options, cancel.Token));
    }
}
