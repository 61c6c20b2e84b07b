using System.Diagnostics;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests.Registry;

public sealed class FolderBlobStoreTests : BlobStoreContract, IDisposable
{
    readonly TemporaryFolder folder = new();

    protected override IBlobStore Open() => new FolderBlobStore(folder.Path);

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_write_that_was_cut_off_is_invisible()
    {
        var store = Open();
        await store.WriteAsync("inbox/faces/a.png", BinaryData.FromString("x"));
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "inbox/faces/.~half"), "half a file");

        Assert.Equal("inbox/faces/a.png", Assert.Single(await store.ListAsync("inbox/").ToArrayAsync()).Path);
        Assert.Equal(["a.png", ".~half"],
            Directory.GetFiles(Path.Combine(folder.Path, "inbox/faces")).Select(Path.GetFileName).OrderDescending());
    }

    [Fact]
    public async Task What_a_killed_writer_left_behind_is_swept_by_a_listing_once_it_is_old()
    {
        var store = Open();
        await store.WriteAsync("inbox/faces/a.png", BinaryData.FromString("x"));
        string Put(string name, TimeSpan age)
        {
            var file = Path.Combine(folder.Path, "inbox/faces", name);
            File.WriteAllText(file, "half a file");
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow - age);
            return file;
        }
        var old = Put($".~{Guid.NewGuid():N}", TimeSpan.FromHours(2));
        var fresh = Put($".~{Guid.NewGuid():N}", TimeSpan.FromMinutes(10)); // its writer may still be at it
        var foreign = Put(".~lock.a.odt#", TimeSpan.FromDays(2));

        Assert.Single(await store.ListAsync("inbox/").ToArrayAsync());
        Assert.Equal((false, true, true), (File.Exists(old), File.Exists(fresh), File.Exists(foreign)));
    }

    [Fact]
    public async Task A_file_larger_than_an_array_is_refused_with_the_limit()
    {
        await Open().WriteAsync("models/large", BinaryData.FromString("x"));
        using (var file = File.OpenWrite(Path.Combine(folder.Path, "models/large"))) file.SetLength(3L << 30); // sparse

        var error = await Assert.ThrowsAsync<BlobTooLargeException>(() => Open().TryReadAsync("models/large", long.MaxValue));
        Assert.Contains($"{3L << 30} bytes, above the limit of {Array.MaxLength}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_put_there_by_hand_is_a_blob()
    {
        Directory.CreateDirectory(Path.Combine(folder.Path, "inbox/faces"));
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "inbox/faces/cat.txt"), "meow");

        var entry = Assert.Single(await Open().ListAsync("inbox/").ToArrayAsync());
        var blob = await Open().TryReadAsync(entry.Path, 100);
        Assert.Equal("meow", blob!.Content.ToString());
        Assert.Equal(entry.ETag, blob.ETag);
    }

    [Fact]
    public async Task A_lock_that_another_keeps_is_named_and_not_taken_for_a_full_disk()
    {
        await Open().WriteAsync("models/a", BinaryData.FromString("1"));
        using var held = new FileStream(Assert.Single(Directory.GetFiles(Path.Combine(folder.Path, ".~locks"))), FileMode.Open,
            FileAccess.ReadWrite, FileShare.None);

        var impatient = new FolderBlobStore(folder.Path) { LockTimeout = TimeSpan.FromMilliseconds(50) };
        var error = await Assert.ThrowsAsync<StorageException>(
            () => impatient.WriteAsync("models/a", BinaryData.FromString("2")));
        Assert.Contains(held.Name, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("space", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, error.ExitCode);
    }

    [Fact]
    public async Task A_lock_held_by_another_makes_a_writer_wait_and_not_fail()
    {
        await Open().WriteAsync("models/a", BinaryData.FromString("1"));
        var held = new FileStream(Assert.Single(Directory.GetFiles(Path.Combine(folder.Path, ".~locks"))), FileMode.Open,
            FileAccess.ReadWrite, FileShare.None);

        var write = Open().WriteAsync("models/a", BinaryData.FromString("2"));
        await Task.Delay(50);
        Assert.False(write.IsCompleted);
        await held.DisposeAsync();
        await write;
    }

    [SkippableFact]
    public async Task A_lock_held_by_another_process_is_respected()
    {
        Skip.IfNot(File.Exists("/usr/bin/flock"), "flock (util-linux) is not here.");
        await Open().WriteAsync("models/a", BinaryData.FromString("1"));
        var start = new ProcessStartInfo(
            "/usr/bin/flock", [Assert.Single(Directory.GetFiles(Path.Combine(folder.Path, ".~locks"))), "cat"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using var other = Process.Start(start)!;
        await other.StandardInput.WriteLineAsync("holding");
        await other.StandardInput.FlushAsync();
        Assert.Equal("holding", await other.StandardOutput.ReadLineAsync());

        var write = Open().WriteAsync("models/a", BinaryData.FromString("2"));
        await Task.Delay(50);
        Assert.False(write.IsCompleted);
        other.StandardInput.Close();
        await write;
    }

    [Fact]
    public async Task A_disk_that_does_not_take_the_file_is_reported_with_the_place()
    {
        await Open().WriteAsync("models/a", BinaryData.FromString("a file"));

        var error = await Assert.ThrowsAsync<StorageException>(
            () => Open().WriteAsync("models/a/b", BinaryData.FromString("below a file")));
        Assert.Contains(folder.Path, error.Message, StringComparison.Ordinal);
        Assert.Null(await Open().TryReadAsync("models/a/b", 100));
    }
}
