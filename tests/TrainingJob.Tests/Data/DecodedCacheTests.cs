using VaeFunctions.Data;
using VaeFunctions.Imaging;

namespace VaeFunctions.Tests.Data;

/// <summary>A data set that was decoded once is taken from its file, as long as nothing changed, and never wrongly.</summary>
public class DecodedCacheTests : Workspace
{
    const int Count = 20;

    int decoded; // images, in the last run

    string Cache => Path.Combine(Root, ".cache");

    DataOptions Options => new() { Cache = Cache, Log = Log.Add, Progress = (_, _) => decoded++ };

    string Rows => Assert.Single(Directory.GetFiles(Cache, "*.rows"));

    /// <summary>Images of plain values 0, 1, 2 …, written an hour ago.</summary>
    void WriteImages(int count = Count, int channels = 1)
    {
        for (byte i = 0; i < count; i++) WriteOld($"{i:D2}.png", Png(i, channels: channels));
    }

    void WriteOld(string name, byte[] content, double hours = 1)
    {
        Write(name, content);
        File.SetLastWriteTimeUtc(Path.Combine(Root, name), DateTime.UtcNow.AddHours(-hours));
    }

    async Task<DataSplit> RunAsync(bool expectDecoding, DataOptions? options = null)
    {
        decoded = 0;
        var split = await LoadAsync("folder", options ?? Options);
        Assert.Equal(expectDecoding, decoded > 0);
        return split;
    }

    static IEnumerable<int> All(DataSplit split) => Values(split.Train).Concat(Values(split.Test)).Order();

    [Fact]
    public async Task The_second_run_decodes_nothing_and_finds_the_same()
    {
        WriteImages();
        var plain = await LoadAsync("folder");
        var first = await RunAsync(expectDecoding: true);
        Assert.Contains(Log, line => line.Contains($"kept decoded for the next run in {Rows}", StringComparison.Ordinal));
        var second = await RunAsync(expectDecoding: false);
        Assert.Contains(Log, line => line.Contains($"taken as it was decoded before, from {Rows}", StringComparison.Ordinal));
        foreach (var split in (DataSplit[])[first, second])
        {
            Assert.Equal(plain.Fingerprint, split.Fingerprint);
            Assert.Equal((plain.Train.Shape, plain.Train.Count), (split.Train.Shape, split.Train.Count));
            for (var i = 0; i < plain.Train.Count; i++) Assert.Equal(plain.Train.Pixels(i), split.Train.Pixels(i));
            for (var i = 0; i < plain.Test.Count; i++) Assert.Equal(plain.Test.Image(i).Pixels, split.Test.Image(i).Pixels);
        }
    }

    [Fact]
    public async Task One_file_serves_every_split_seed_and_binarization()
    {
        WriteImages();
        await RunAsync(expectDecoding: true);
        var fingerprints = new HashSet<string>();
        foreach (var options in (DataOptions[])
        [
            Options with { Seed = 1 }, Options with { Seed = 2 }, Options with { TestFraction = 0.5 },
            Options with { Binarize = BinarizationKind.Static }, Options with { Binarize = BinarizationKind.Dynamic },
        ])
        {
            var kept = await RunAsync(expectDecoding: false, options);
            var plain = await LoadAsync("folder", options with { Cache = null, Progress = null });
            Assert.Equal(plain.Fingerprint, kept.Fingerprint);
            Assert.Equal(plain.Fingerprint, (await RunAsync(expectDecoding: false, options)).Fingerprint);
            Assert.True(fingerprints.Add(kept.Fingerprint));
            Assert.Equal(Values(plain.Train), Values(kept.Train));
            Assert.Equal(Values(plain.Test), Values(kept.Test));
        }
    }

    [Fact]
    public async Task Labels_follow_the_folders_although_pixels_are_kept()
    {
        WriteOld("train/cat/a.png", Png(1));
        WriteOld("train/dog/b.png", Png(2));
        WriteOld("test/cat/c.png", Png(3));
        var first = await RunAsync(expectDecoding: true);
        var second = await RunAsync(expectDecoding: false);
        Assert.Equal([0, 1], second.Train.Labels!);
        Assert.Equal(["cat", "dog"], second.Train.LabelNames);
        Assert.Equal(first.Fingerprint, second.Fingerprint);
        Directory.Move(Path.Combine(Root, "train/dog"), Path.Combine(Root, "train/fox"));
        Assert.Equal(["cat", "fox"], (await RunAsync(expectDecoding: true)).Train.LabelNames);
    }

    [Theory]
    [InlineData("content")]
    [InlineData("added")]
    [InlineData("removed")]
    [InlineData("renamed")]
    [InlineData("shape")]
    [InlineData("resize")]
    public async Task Whatever_changes_the_images_decodes_them_anew(string change)
    {
        WriteImages();
        await RunAsync(expectDecoding: true);
        var options = Options;
        switch (change)
        {
            case "content":
                WriteOld("05.png", Png(99), hours: 0.5);
                break;
            case "added":
                WriteOld("99.png", Png(99));
                break;
            case "removed":
                File.Delete(Path.Combine(Root, "05.png"));
                break;
            case "renamed":
                File.Move(Path.Combine(Root, "05.png"), Path.Combine(Root, "99.png"));
                break;
            case "shape":
                options = options with { Shape = new ImageShape(3, 4, 3) };
                break;
            default:
                options = options with { Shape = new ImageShape(2, 2, 1), Fit = ImageFit.Pad };
                break;
        }
        var split = await RunAsync(expectDecoding: true, options);
        int[] expected = change switch
        {
            "content" => [.. Enumerable.Range(0, Count).Where(i => i != 5), 99],
            "added" => [.. Enumerable.Range(0, Count), 99],
            "removed" => [.. Enumerable.Range(0, Count).Where(i => i != 5)],
            _ => [.. Enumerable.Range(0, Count)],
        };
        Assert.Equal(expected, All(split));
        await RunAsync(expectDecoding: false, options);
    }

    [Fact]
    public async Task Another_folder_of_equal_files_is_another_set()
    {
        WriteImages();
        await RunAsync(expectDecoding: true);
        var copy = Directory.CreateDirectory(Path.Combine(Root, ".copy")).FullName;
        for (byte i = 0; i < Count; i++)
        {
            var path = Path.Combine(copy, $"{i:D2}.png");
            File.WriteAllBytes(path, Png((byte)(100 + i)));
            File.SetLastWriteTimeUtc(path, File.GetLastWriteTimeUtc(Path.Combine(Root, $"{i:D2}.png")));
        }
        var split = await DataSources.LoadAsync($"folder:{copy}", Options);
        Assert.Equal(Enumerable.Range(100, Count), All(split));
    }

    [Fact]
    public async Task Files_that_were_written_a_moment_ago_are_not_kept()
    {
        WriteImages();
        Write("03.png", Png(3));
        await RunAsync(expectDecoding: true);
        Assert.Contains(
            Log, line => line.Contains("not kept decoded, since files were written a moment ago", StringComparison.Ordinal));
        await RunAsync(expectDecoding: true);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(130)]
    [InlineData(-1)]
    [InlineData(-100)]
    public async Task A_file_cut_short_is_decoded_anew(int length)
    {
        WriteImages();
        await RunAsync(expectDecoding: true);
        using (var file = File.OpenWrite(Rows)) file.SetLength(length < 0 ? file.Length + length : length);
        Assert.Equal(Enumerable.Range(0, Count), All(await RunAsync(expectDecoding: true)));
        Assert.Contains(Log, line => line.Contains("are damaged and are decoded anew", StringComparison.Ordinal));
        await RunAsync(expectDecoding: false);
    }

    [Fact]
    public async Task Damage_to_the_header_or_the_checksums_is_noticed_at_once()
    {
        WriteImages();
        await RunAsync(expectDecoding: true);
        var whole = File.ReadAllBytes(Rows);
        foreach (var at in (int[])[0, 8, 13, 17, 21, 33, 64, whole.Length - 1, whole.Length - 100])
        {
            var damaged = whole.ToArray();
            damaged[at] ^= 0x10;
            File.WriteAllBytes(Rows, damaged);
            Assert.Equal(Enumerable.Range(0, Count), All(await RunAsync(expectDecoding: true)));
        }
    }

    [Fact]
    public async Task Damage_to_an_image_is_noticed_where_it_is_read()
    {
        WriteImages();
        var fingerprint = (await RunAsync(expectDecoding: true)).Fingerprint;
        using (var file = File.OpenWrite(Rows))
        {
            file.Position = 128 + 7 * 12 + 3; // within image 7, of 4×3 grey pixels
            file.WriteByte(200);
        }
        var split = await RunAsync(expectDecoding: false);
        Assert.Equal(fingerprint, split.Fingerprint);
        var error = Assert.Throws<DataException>(() => All(split).ToArray());
        Assert.Contains("Image 7 of the decoded images in", error.Message, StringComparison.Ordinal);
        Assert.Contains("run again", error.Message, StringComparison.Ordinal);
        Assert.Equal(Enumerable.Range(0, Count), All(await RunAsync(expectDecoding: true)));
    }

    [Fact]
    public async Task A_damaged_fingerprint_is_reckoned_again()
    {
        WriteImages();
        var fingerprint = (await RunAsync(expectDecoding: true)).Fingerprint;
        var kept = Assert.Single(Directory.GetFiles(Cache), path => !path.EndsWith(".rows", StringComparison.Ordinal));
        var whole = File.ReadAllText(kept);
        Assert.StartsWith(fingerprint, whole, StringComparison.Ordinal);
        foreach (var content in (string[])["", fingerprint[..30], fingerprint.ToUpperInvariant() + "x",
            whole.Replace(fingerprint, $"{(fingerprint[0] == '1' ? '2' : '1')}{fingerprint[1..]}")])
        {
            File.WriteAllText(kept, content);
            Assert.Equal(fingerprint, (await RunAsync(expectDecoding: false)).Fingerprint);
            Assert.Equal(whole, File.ReadAllText(kept));
        }
    }

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_full_disk_keeps_nothing_and_harms_nothing(bool fromTheStart)
    {
        Skip.IfNot(File.Exists("/dev/full"), "There is no /dev/full on this system.");
        WriteImages();
        var full = Options with
        {
            CacheAt = folder => new DecodedCache(folder)
            {
                CreateFile = (path, _) => fromTheStart
                    ? throw new IOException("No space left on device")
                    : File.OpenHandle("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite),
            },
        };
        Assert.Equal(Enumerable.Range(0, Count), All(await RunAsync(expectDecoding: true, full)));
        Assert.Contains(Log, line => line.Contains("not kept decoded in", StringComparison.Ordinal)
            && line.Contains("No space left", StringComparison.Ordinal));
        Assert.Empty(Directory.GetFiles(Cache));
        Assert.Contains("memory may be used", await FailAsync("folder", full with { MaxMemory = 100 }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_made_keeps_nothing_and_harms_nothing()
    {
        WriteImages();
        Write("notes.txt", [1]);
        Assert.Equal(Enumerable.Range(0, Count),
            All(await RunAsync(expectDecoding: true, Options with { Cache = Path.Combine(Root, "notes.txt/x") })));
        Assert.Contains(Log, line => line.Contains("not kept decoded in", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Runs_that_write_at_once_all_succeed_and_leave_one_file()
    {
        WriteImages();
        var splits = await Task.WhenAll(
            Enumerable.Range(0, 6).Select(_ => Task.Run(() => DataSources.LoadAsync($"folder:{Root}", new() { Cache = Cache }))));
        Assert.All(splits, split => Assert.Equal(Enumerable.Range(0, Count), All(split)));
        Assert.Single(splits.Select(split => split.Fingerprint).Distinct());
        Assert.EndsWith(".rows", Rows, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Cache, "*.draft"));
        await RunAsync(expectDecoding: false);
    }

    [Fact]
    public async Task A_set_larger_than_memory_is_read_from_the_file()
    {
        WriteImages();
        var little = Options with { MaxMemory = Count * 12 / 2 };
        Assert.Contains("memory may be used", await FailAsync("folder", little with { Cache = null }), StringComparison.Ordinal);
        Assert.Equal(Enumerable.Range(0, Count), All(await RunAsync(expectDecoding: true, little)));
        Assert.Equal(Enumerable.Range(0, Count), All(await RunAsync(expectDecoding: false, little)));
        Assert.Contains("memory may be used", await FailAsync("folder", little with { Binarize = BinarizationKind.Static }),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_coloured_image_after_grey_ones_makes_all_coloured()
    {
        WriteImages();
        WriteOld("99.png", Png(99, channels: 3));
        var first = await RunAsync(expectDecoding: true);
        Assert.Equal(new ImageShape(3, 4, 3), first.Train.Shape);
        Assert.Equal([.. Enumerable.Range(0, Count), 99], All(first));
        Assert.Equal(first.Fingerprint, (await RunAsync(expectDecoding: false)).Fingerprint);
    }

    [Fact]
    public async Task Broken_images_leave_nothing_behind()
    {
        WriteImages();
        WriteOld("05.png", Png(5)[..30]);
        Assert.Contains("1 of 20 images cannot be read", await FailAsync("folder", Options with { MaxUnreadable = default }),
            StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Cache));
    }

    [Fact]
    public async Task What_nobody_used_for_a_month_is_removed_when_something_is_added()
    {
        WriteImages();
        await RunAsync(expectDecoding: true);
        string old = Path.Combine(Cache, "0a.rows"), oldHash = old
            + ".1b", draft = Path.Combine(Cache, "2c.rows.3d.draft"), foreign = Path.Combine(Cache, "mine.txt");
        foreach (var path in (string[])[old, oldHash, draft, foreign])
        {
            File.WriteAllText(path, "x");
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddDays(path == draft ? -2 : -31));
        }
        var kept = Directory.GetFiles(Cache, "*.rows").Single(path => path != old);
        File.SetLastWriteTimeUtc(kept, DateTime.UtcNow.AddDays(-29));
        await RunAsync(expectDecoding: false); // which counts as a use
        Assert.True(File.GetLastWriteTimeUtc(kept) > DateTime.UtcNow.AddDays(-1));
        Assert.True(File.Exists(old));
        await RunAsync(expectDecoding: true, Options with { Shape = new ImageShape(3, 4, 3) });
        Assert.Equal([false, false, false, true, true], ((string[])[old, oldHash, draft, foreign, kept]).Select(File.Exists));
    }

    [Fact]
    public void The_folder_is_the_users_unless_the_variable_names_another()
    {
        var before = Environment.GetEnvironmentVariable(DecodedCache.Variable);
        try
        {
            Environment.SetEnvironmentVariable(DecodedCache.Variable, "/somewhere/else");
            Assert.Equal("/somewhere/else", DecodedCache.UsualFolder);
            Environment.SetEnvironmentVariable(DecodedCache.Variable, "off");
            Assert.Null(DecodedCache.UsualFolder);
            Environment.SetEnvironmentVariable(DecodedCache.Variable, null);
            Assert.EndsWith(Path.Combine("vae-functions", "decoded"), DecodedCache.UsualFolder!, StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable(DecodedCache.Variable, before);
        }
    }
}
