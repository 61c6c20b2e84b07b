using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using VaeFunctions.Data;
using VaeFunctions.Imaging;

namespace VaeFunctions.Tests.Data;

/// <summary>Folders as people have them: broken files, odd names, what systems leave, splits by any name, archives.</summary>
public class FolderHabitsTests : Workspace
{
    void Told(string text) => Assert.Contains(Log, line => line.Contains(text, StringComparison.Ordinal));

    static int Count(DataSplit split) => split.Train.Count + split.Test.Count;

    void WriteMany(int count, string folder = "")
    {
        for (var i = 0; i < count; i++) Write($"{folder}{i:D3}.png", Png((byte)i));
    }

    [Fact]
    public async Task A_few_broken_files_are_named_and_the_rest_goes_on()
    {
        WriteMany(163);
        Write("000.png", Png(3)[..40]); // the very first, by which the size is seen
        Write("100.png", "<html>404</html>"u8.ToArray());
        var split = await LoadAsync("folder");
        Assert.Equal(161, Count(split));
        Assert.Equal(Enumerable.Range(1, 162).Where(i => i != 100), Values(split.Train).Concat(Values(split.Test)).Order());
        Told("left out 2 of 163 images that cannot be read:\n  000.png: The PNG is cut short");
        var strict = new DataOptions { Cache = null, MaxUnreadable = new Allowance(1, 0) };
        Assert.Contains("2 of 163 images cannot be read", await FailAsync("folder", strict), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Broken_files_are_left_out_by_name_also_where_the_others_were_kept_decoded()
    {
        WriteMany(30);
        Write("007.png", [1, 2, 3]);
        foreach (var file in Directory.GetFiles(Root)) File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddHours(-1));
        var options = new DataOptions { Cache = Path.Combine(Root, ".cache") };
        var first = await LoadAsync("folder", options);
        Log.Clear();
        var again = await LoadAsync("folder", options);
        Told("taken as it was decoded before");
        Told("left out 1 of 30 images that cannot be read:\n  007.png: ");
        Assert.Equal((first.Fingerprint, 29), (again.Fingerprint, Count(again)));
        var pixels = again.Train.Pixels(0).ToArray();
        Assert.DoesNotContain(0, pixels.Skip(1).Select(value => value - pixels[0]).Where(d => d != 0));
    }

    [Theory]
    [InlineData("20", 1000, 20)]
    [InlineData("3%", 1000, 30)]
    [InlineData("0", 1000, 0)]
    [InlineData("100%", 10, 9)]
    public void An_allowance_is_a_number_or_a_part(string text, int all, int expected) =>
        Assert.Equal(expected, Allowance.TryParse(text)!.Value.Of(all));

    [Fact]
    public void By_default_a_hundredth_or_twenty_may_be_broken() =>
        Assert.Equal((20, 50), (Allowance.Usual.Of(163), Allowance.Usual.Of(5000)));

    [Theory]
    [InlineData("-1")]
    [InlineData("many")]
    [InlineData("101%")]
    public void What_is_no_allowance_is_not_taken_for_one(string text) => Assert.Null(Allowance.TryParse(text));

    [Fact]
    public async Task What_systems_leave_is_neither_an_image_nor_a_label()
    {
        WriteMany(5, "cat/");
        WriteMany(5, "dog/");
        foreach (var litter in (string[])["@eaDir/a.jpg", "#recycle/b.png", "lost+found/c.png", "$RECYCLE.BIN/d.png",
            "__MACOSX/._e.png", "System Volume Information/f.png", "cat/@eaDir/g.png/SYNOPHOTO_THUMB_M.jpg", "dog/Thumbs.db",
            "@Recycle/h.png"])
            Write(litter, Png(200));
        var split = await LoadAsync("folder");
        Assert.Equal((10, "cat dog"), (Count(split), string.Join(' ', split.Train.LabelNames)));
        Assert.DoesNotContain(Log, line => line.Contains("skipped", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Train", "Test")]
    [InlineData("training", "testing")]
    [InlineData("TRAIN_SET", "test-set")]
    [InlineData("trainset", "Validation")]
    [InlineData("train", "val")]
    public async Task Folders_named_like_a_split_are_one_in_the_usual_spellings(string train, string test)
    {
        WriteMany(4, $"{train}/cat/");
        WriteMany(2, $"{test}/cat/");
        var split = await LoadAsync("folder");
        Assert.Equal((4, 2, "cat"), (split.Train.Count, split.Test.Count, string.Join(' ', split.Train.LabelNames)));
        Told($"{train} is what is trained on, {test} what is tested with");
    }

    [Fact]
    public async Task A_validation_part_beside_both_others_is_left_out_and_that_is_said()
    {
        WriteMany(4, "train/");
        WriteMany(2, "test/");
        WriteMany(3, "valid/");
        Assert.Equal(6, Count(await LoadAsync("folder")));
        Told("left out 3 images beside the folders to train on and to test with, such as valid/000.png");
    }

    [Fact]
    public async Task A_vehicle_called_train_is_a_label_where_nothing_is_called_test()
    {
        WriteMany(4, "train/");
        WriteMany(4, "bus/");
        Assert.Equal(["bus", "train"], (await LoadAsync("folder")).Train.LabelNames);
    }

    [Fact]
    public async Task Label_folders_that_look_the_same_are_one_label_and_case_alone_is_pointed_out()
    {
        WriteMany(3, "caf\u00E9/");
        WriteMany(3, "cafe\u0301/");
        WriteMany(3, "tea/");
        WriteMany(3, "tea /");
        WriteMany(3, "Tea/");
        var split = await LoadAsync("folder");
        Assert.Equal(["Tea", "cafe\u0301", "tea"], split.Train.LabelNames);
        Told("are one label; their names differ in their characters: U+0065 U+0301 in the one, U+00E9 in the other");
        Told("\"tea\" and \"tea \" are one label; their names differ in the spaces around them");
        Told("Tea and tea are different labels; their names differ in the case of letters alone");
    }

    [Fact]
    public async Task A_stray_image_beside_label_folders_is_left_out_and_an_empty_folder_mentioned()
    {
        WriteMany(20, "cat/");
        WriteMany(20, "dog/");
        Write("stray.png", Png(1));
        Directory.CreateDirectory(Path.Combine(Root, "owl"));
        var split = await LoadAsync("folder");
        Assert.Equal((40, 2), (Count(split), split.Train.LabelNames.Count));
        Told("left out 1 of 41 images: stray.png lies beside label folders such as cat");
        Told("no image in the folder owl, which is no label");
    }

    [Fact]
    public async Task Every_label_keeps_an_image_to_train_on_as_long_as_there_is_one_to_test_with()
    {
        for (var label = 0; label < 12; label++) Write($"label{label:D2}/a.png", Png((byte)label));
        WriteMany(12, "many/");
        for (ulong seed = 0; seed < 5; seed++)
        {
            var split = await LoadAsync("folder", new DataOptions { Cache = null, Seed = seed, TestFraction = 0.4 });
            Assert.Equal(13, split.Train.Labels!.Distinct().Count());
            Assert.NotEqual(0, split.Test.Count);
        }
    }

    [Fact]
    public async Task Twelve_labels_of_one_image_each_train_eleven_and_name_the_other()
    {
        for (var label = 0; label < 12; label++) Write($"label{label:D2}/a.png", Png((byte)label));
        var split = await LoadAsync("folder");
        Assert.Equal((11, 1), (split.Train.Count, split.Test.Count));
        Told($"{split.Train.LabelNames[split.Test.Labels![0]]} has its only image among those to test with");
        Told("figures of 1 test image say little; 100 or more are enough");
    }

    [Theory]
    [InlineData(ImageFit.Crop, new[] { 20, 20, 20, 20 })]
    [InlineData(ImageFit.Pad, new[] { 0, 20, 20, 0 })]
    [InlineData(ImageFit.Stretch, new[] { 20, 20, 20, 20 })]
    public void An_image_of_another_aspect_is_cropped_padded_or_stretched(ImageFit fit, int[] row)
    {
        var tall = new Image(2, 4, 1, [20, 20, 20, 20, 20, 20, 20, 20]);
        var fitted = tall.FitTo(new ImageShape(4, 4, 1), fit);
        Assert.All(fitted.Pixels.Chunk(4), pixels => Assert.Equal(row, pixels.Select(value => (int)value)));
        Assert.Throws<ImageFormatException>(() => tall.FitTo(new ImageShape(4, 4, 1), ImageFit.Strict));
    }

    [Fact]
    public async Task Cropping_takes_the_middle_and_stretching_all_of_it()
    {
        byte[] row = [.. Enumerable.Range(0, 24).Select(x => (byte)(x is < 8 or >= 16 ? 0 : 200))];
        byte[] wide = [.. Enumerable.Range(0, 8).SelectMany(_ => row)];
        foreach (var name in (string[])["a.png", "b.png"]) Write(name, ImageCodec.EncodePng(new Image(24, 8, 1, wide)));
        var options = new DataOptions { Cache = null, Shape = new ImageShape(8, 8, 1) };
        Assert.All((await LoadAsync("folder", options)).Train.Pixels(0).ToArray(), value => Assert.Equal(200, value));
        var stretched = (await LoadAsync("folder", options with { Fit = ImageFit.Stretch })).Train.Pixels(0).ToArray();
        Assert.True(stretched[0] < 20 && stretched[4] > 180 && stretched[7] < 20, string.Join(' ', stretched[..8]));
    }

    [Fact]
    public async Task A_table_of_attributes_beside_the_images_is_read_and_changes_the_fingerprint()
    {
        for (var i = 0; i < 6; i++) Write($"{(i < 3 ? "cat" : "dog")}/{i}.png", Png((byte)i));
        const string table = "\uFEFFfile,smile,age,colour\r\n"
            + "cat/0.png,1,30,red\n1.png,0,,blue\n2.png,yes,31.5,red\r\ndog/3.png,-1,8,\"a, b\"\n"
            + "4.png,0,9,x\ngone.png,1,1,y\n";
        Write("attributes.csv", Encoding.UTF8.GetBytes(table));
        var split = await LoadAsync("folder");
        Assert.Equal(["smile", "age"], split.Train.AttributeNames);
        var all = new Dictionary<int, (float, float)>();
        foreach (var part in (ImageDataset[])[split.Train, split.Test])
            for (var i = 0; i < part.Count; i++) all[part.Pixels(i)[0]] = (part.Attributes![i, 0], part.Attributes[i, 1]);
        Assert.Equal(((1f, 30f), (0f, float.NaN), (1f, 31.5f), (-1f, 8f), (0f, 9f), (float.NaN, float.NaN)),
            (all[0], all[1], all[2], all[3], all[4], all[5]));
        Told("the column colour is left out, since it holds \"red\"");
        Told("1 line of attributes.csv is of no image here, such as gone.png");
        Told("1 of 6 images has no line in attributes.csv, such as dog/5.png");
        Write("attributes.csv", Encoding.UTF8.GetBytes(table.Replace("4.png,0", "4.png,1", StringComparison.Ordinal)));
        Assert.NotEqual(split.Fingerprint, (await LoadAsync("folder")).Fingerprint);
    }

    [Theory]
    [InlineData("file,a\n", "has 1 line")]
    [InlineData("file,word\n0.png,red\n", "has no column of numbers")]
    [InlineData("file,a,a\n0.png,1,2\n", "names the column a twice")]
    [InlineData("file,a\n0.png,1,2\n", "line 2 has 3 columns, the first 2")]
    [InlineData("file,a\nelse.png,1\n", "has no line for any of the 4 images")]
    public async Task A_table_that_cannot_be_used_says_why(string table, string expected)
    {
        WriteMany(4);
        Write("attributes.csv", Encoding.UTF8.GetBytes(table));
        Assert.Contains(expected, await FailAsync("folder"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pictures.zip")]
    [InlineData("pictures.tar")]
    [InlineData("pictures.tar.gz")]
    [InlineData("pictures.tgz")]
    public async Task An_archive_is_read_as_the_folder_that_it_was_made_of(string name)
    {
        (string Path, byte[] Content)[] files =
        [
            ("pets/cat/1.png", Png(1)), ("pets/cat/2.png", Png(2)), ("pets/dog/3.png", Png(3)), ("pets/dog/4.png", Png(4)[..30]),
            ("__MACOSX/pets/cat/._1.png", Png(9)), ("pets/../../outside.txt", [1]),
            ("pets/attributes.csv", "f,old\n1.png,1\n"u8.ToArray()),
        ];
        var path = Path.Combine(Root, name);
        if (name.EndsWith(".zip", StringComparison.Ordinal))
        {
            using var zip = new ZipArchive(File.Create(path), ZipArchiveMode.Create);
            foreach (var (entry, content) in files)
            {
                using var stream = zip.CreateEntry(entry).Open();
                stream.Write(content);
            }
        }
        else
        {
            using Stream file = File.Create(path), packed = name.EndsWith(".tar", StringComparison.Ordinal)
                ? file : new GZipStream(file, CompressionLevel.Fastest);
            using var tar = new TarWriter(packed);
            foreach (var (entry, content) in files)
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, entry) { DataStream = new MemoryStream(content) });
        }
        var split = await DataSources.LoadAsync($"folder:{path}", new DataOptions { Cache = null, Log = Log.Add });
        Assert.Equal(["cat", "dog"], split.Train.LabelNames);
        Assert.Equal([1, 2, 3], Values(split.Train).Concat(Values(split.Test)).Order());
        Assert.Equal(["old"], split.Train.AttributeNames);
        Told("all images lie in pets/");
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^(int)(new FileInfo(path).Length / 2)]);
        var damaged = await Assert.ThrowsAsync<DataException>(
            () => DataSources.LoadAsync($"folder:{path}", new DataOptions { Cache = null, MaxUnreadable = default }));
        Assert.Contains(name, damaged.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tilde_behind_the_kind_of_source_is_the_users_folder_and_another_users_is_explained()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var own = await Assert.ThrowsAsync<DataException>(
            () => DataSources.LoadAsync("folder:~/no-such-folder-of-images", new DataOptions { Cache = null }));
        Assert.Contains(
            $"there is no folder {Path.Combine(home, "no-such-folder-of-images")}", own.Message, StringComparison.Ordinal);
        var other = await Assert.ThrowsAsync<DataException>(
            () => DataSources.LoadAsync("folder:~someone/pictures", new DataOptions { Cache = null }));
        Assert.Contains("~someone is another user's folder", other.Message, StringComparison.Ordinal);
    }
}
