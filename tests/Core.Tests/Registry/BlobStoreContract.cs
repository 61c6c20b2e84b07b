using VaeFunctions.Registry;

namespace VaeFunctions.Tests.Registry;

/// <summary>What every blob store promises. Each subclass runs all of it on a store of its own.</summary>
public abstract class BlobStoreContract
{
    const long Limit = 1 << 20;

    /// <summary>A container that no other test uses.</summary>
    readonly string container = "c" + Guid.NewGuid().ToString("N")[..20];

    protected abstract IBlobStore Open();

    string At(string name) => $"{container}/{name}";

    static BinaryData Text(string text) => BinaryData.FromString(text);

    [SkippableFact]
    public async Task What_is_written_is_read_with_the_ETag_that_the_write_gave()
    {
        var store = Open();
        var written = await store.WriteAsync(At("a/b.bin"), new BinaryData(new byte[] { 0, 255, 10 }));
        var blob = await store.TryReadAsync(At("a/b.bin"), Limit);

        Assert.Equal(new byte[] { 0, 255, 10 }, blob!.Content.ToArray());
        Assert.Equal(written, blob.ETag);
    }

    [SkippableFact]
    public async Task What_is_not_there_reads_as_null_lists_as_nothing_and_deletes_quietly()
    {
        var store = Open();
        Assert.Null(await store.TryReadAsync(At("a"), Limit));
        Assert.Empty(await store.ListAsync(At("")).ToArrayAsync());
        Assert.Empty(await store.ListFoldersAsync(At("")).ToArrayAsync());
        await store.DeleteAsync(At("a"));

        await store.WriteAsync(At("a/b"), Text("x"));
        Assert.Null(await store.TryReadAsync(At("a"), Limit)); // a "folder" is no blob
        Assert.Null(await store.TryReadAsync(At("c"), Limit));
    }

    [SkippableFact]
    public async Task Every_write_gives_a_new_ETag_also_for_the_same_content()
    {
        var store = Open();
        var etags = new HashSet<string>();
        for (var i = 0; i < 20; i++) etags.Add(await store.WriteAsync(At("a"), Text("same")));
        Assert.Equal(20, etags.Count);
    }

    [SkippableFact]
    public async Task An_empty_blob_is_a_blob()
    {
        var store = Open();
        await store.WriteAsync(At("empty"), new BinaryData(Array.Empty<byte>()));
        Assert.Equal(0, (await store.TryReadAsync(At("empty"), 0))!.Content.ToMemory().Length);
        Assert.Equal(0, Assert.Single(await store.ListAsync(At("")).ToArrayAsync()).Size);
    }

    [SkippableFact]
    public async Task IfAbsent_writes_once()
    {
        var store = Open();
        await store.WriteAsync(At("a"), Text("first"), WriteCondition.IfAbsent);
        await Assert.ThrowsAsync<BlobConflictException>(() => store.WriteAsync(At("a"), Text("second"), WriteCondition.IfAbsent));
        Assert.Equal("first", (await store.TryReadAsync(At("a"), Limit))!.Content.ToString());
    }

    [SkippableFact]
    public async Task IfUnchanged_writes_over_what_was_read_and_nothing_else()
    {
        var store = Open();
        var first = await store.WriteAsync(At("a"), Text("1"));
        var second = await store.WriteAsync(At("a"), Text("2"), WriteCondition.IfUnchanged(first));
        await Assert.ThrowsAsync<BlobConflictException>(
            () => store.WriteAsync(At("a"), Text("3"), WriteCondition.IfUnchanged(first)));
        Assert.Equal("2", (await store.TryReadAsync(At("a"), Limit))!.Content.ToString());

        await store.DeleteAsync(At("a"));
        await Assert.ThrowsAsync<BlobConflictException>(
            () => store.WriteAsync(At("a"), Text("4"), WriteCondition.IfUnchanged(second)));
        Assert.Null(await store.TryReadAsync(At("a"), Limit));
    }

    [SkippableFact]
    public async Task Of_many_writers_with_one_condition_exactly_one_wins_each_round()
    {
        var (store, other) = (Open(), Open());
        var condition = WriteCondition.IfAbsent;
        for (var round = 0; round < 5; round++)
        {
            var attempts = await Task.WhenAll(Enumerable.Range(0, 12).Select(writer => Task.Run(async () =>
            {
                try
                {
                    return await (writer % 2 == 0 ? store : other)
                        .WriteAsync(At("pointer"), Text($"writer {writer:00}"), condition);
                }
                catch (BlobConflictException)
                {
                    return null;
                }
            })));
            var winner = Assert.Single(attempts, etag => etag is not null);
            var blob = await store.TryReadAsync(At("pointer"), Limit);
            Assert.Equal($"writer {Array.IndexOf(attempts, winner):00}", blob!.Content.ToString());
            condition = WriteCondition.IfUnchanged(winner!);
        }
    }

    [SkippableFact]
    public async Task A_reader_never_sees_part_of_a_write()
    {
        var store = Open();
        using var done = new CancellationTokenSource();
        await store.WriteAsync(At("a"), new BinaryData(new byte[100_000]));
        var reader = Task.Run(async () =>
        {
            for (var reads = 0; ; reads++)
            {
                if (done.IsCancellationRequested && reads > 0) return;
                var bytes = (await store.TryReadAsync(At("a"), Limit))!.Content.ToArray();
                Assert.Equal(100_000, bytes.Length);
                Assert.Equal(-1, bytes.AsSpan().IndexOfAnyExcept(bytes[0]));
            }
        });
        for (byte i = 1; i < 20; i++)
        {
            var bytes = new byte[100_000];
            Array.Fill(bytes, i);
            await store.WriteAsync(At("a"), new BinaryData(bytes));
        }
        await done.CancelAsync();
        await reader;
    }

    [SkippableFact]
    public async Task A_large_blob_is_written_whole_and_under_its_condition()
    {
        var store = Open();
        var bytes = new byte[20_000_001];
        new Random(1).NextBytes(bytes);
        var etag = await store.WriteAsync(At("large"), new BinaryData(bytes), WriteCondition.IfAbsent);
        await Assert.ThrowsAsync<BlobConflictException>(
            () => store.WriteAsync(At("large"), new BinaryData(bytes), WriteCondition.IfAbsent));
        await Assert.ThrowsAsync<BlobConflictException>(
            () => store.WriteAsync(At("large"), new BinaryData(bytes), WriteCondition.IfUnchanged("\"0x1\"")));

        var blob = await store.TryReadAsync(At("large"), bytes.Length);
        Assert.True(blob!.Content.ToMemory().Span.SequenceEqual(bytes));
        Assert.Equal(etag, blob.ETag);
    }

    [SkippableFact]
    public async Task Listings_are_in_ordinal_order_of_the_whole_path_and_keep_to_the_prefix()
    {
        var store = Open();
        string[] names = ["a-b/x", "a.txt", "a/b/c", "a/x", "aa", "b", "img 1 (ü).png"]; // '-' < '.' < '/' < 'a'
        foreach (var name in names.Reverse()) await store.WriteAsync(At(name), Text(name));

        var all = await store.ListAsync(At("")).ToArrayAsync();
        Assert.Equal(names.Select(At), all.Select(entry => entry.Path));
        Assert.Equal(names.Select(name => (long)System.Text.Encoding.UTF8.GetByteCount(name)), all.Select(entry => entry.Size));
        Assert.Equal((await store.TryReadAsync(At("b"), Limit))!.ETag, all.Single(entry => entry.Path == At("b")).ETag);

        Assert.Equal(["a/b/c", "a/x"], await store.ListAsync(At("a/")).Select(
            entry => entry.Path[(container.Length + 1)..]).ToArrayAsync());
        Assert.Equal(["a-b/x", "a.txt", "a/b/c", "a/x", "aa"],
            await store.ListAsync(At("a")).Select(entry => entry.Path[(container.Length + 1)..]).ToArrayAsync());
        Assert.Equal(
            ["a/b/c"], await store.ListAsync(At("a/b")).Select(entry => entry.Path[(container.Length + 1)..]).ToArrayAsync());
        Assert.Equal("img 1 (ü).png", (await store.TryReadAsync(At("img 1 (ü).png"), Limit))!.Content.ToString());
    }

    [SkippableFact]
    public async Task Folders_are_what_has_blobs_below()
    {
        var store = Open();
        foreach (var name in (string[])["m/one/v1/f", "m/one/v2/f", "m/two/f", "m/file", "other/f"])
            await store.WriteAsync(At(name), Text("x"));

        Assert.Equal(["m", "other"], await store.ListFoldersAsync(At("")).ToArrayAsync());
        Assert.Equal(["one", "two"], await store.ListFoldersAsync(At("m/")).ToArrayAsync());
        Assert.Equal(["v1", "v2"], await store.ListFoldersAsync(At("m/one/")).ToArrayAsync());

        await store.DeleteAsync(At("m/two/f"));
        Assert.Equal(["one"], await store.ListFoldersAsync(At("m/")).ToArrayAsync());
        Assert.Throws<BlobPathException>(() => store.ListFoldersAsync(At("m")));
    }

    [SkippableFact]
    public async Task A_blob_above_the_limit_is_not_read_and_the_error_gives_both_sizes()
    {
        var store = Open();
        await store.WriteAsync(At("big"), new BinaryData(new byte[1001]));
        var error = await Assert.ThrowsAsync<BlobTooLargeException>(() => store.TryReadAsync(At("big"), 1000));
        Assert.Contains("1001 bytes, above the limit of 1000", error.Message, StringComparison.Ordinal);
        Assert.NotNull(await store.TryReadAsync(At("big"), 1001));
    }

    [SkippableTheory]
    [InlineData("")]
    [InlineData("models")]
    [InlineData("models/")]
    [InlineData("/models/a")]
    [InlineData("models//a")]
    [InlineData("models/a/")]
    [InlineData("../a/b")]
    [InlineData("models/../../etc/passwd")]
    [InlineData("models/a/..")]
    [InlineData("models/./a")]
    [InlineData("models/a\\..\\b")]
    [InlineData("models/a\0b")]
    [InlineData("models/a\nb")]
    [InlineData("Models/a")]
    [InlineData("m/a")]
    [InlineData(".~locks/00")]
    [InlineData("models/.~abc")]
    public async Task A_path_that_is_not_safe_is_refused(string path)
    {
        var store = Open();
        await Assert.ThrowsAsync<BlobPathException>(() => store.TryReadAsync(path, Limit));
        await Assert.ThrowsAsync<BlobPathException>(() => store.WriteAsync(path, Text("x")));
        await Assert.ThrowsAsync<BlobPathException>(() => store.DeleteAsync(path));
    }

    [SkippableFact]
    public void A_prefix_that_leaves_its_container_is_refused()
    {
        foreach (var prefix in (string[])["", "models", "/", "models/..", "models/../x", "models//", "models/.~"])
            Assert.Throws<BlobPathException>(() => Open().ListAsync(prefix));
    }
}
