using VaeFunctions.Registry;

namespace VaeFunctions.Tests.Registry;

/// <summary>The registry's promises, on every store.</summary>
public abstract class ModelRegistryContract
{
    static readonly Dictionary<string, BinaryData> Files = new()
    {
        ["encoder.onnx"] = BinaryData.FromString("encoder"),
        ["decoder.onnx"] = BinaryData.FromString("decoder"),
    };

    readonly string model = "m" + Guid.NewGuid().ToString("N")[..20];

    protected abstract IBlobStore Open();

    async Task<(ModelRegistry Registry, IBlobStore Store)> WithVersionsAsync(params string[] versions)
    {
        var store = Open();
        var registry = new ModelRegistry(store);
        foreach (var version in versions) await registry.PublishAsync(ManifestTests.Example(model, version), Files);
        return (registry, store);
    }

    [SkippableFact]
    public async Task A_published_version_is_listed_and_read_back()
    {
        var (registry, _) = await WithVersionsAsync("20260101T000000Z", "20260102T000000Z");

        Assert.Contains(model, await registry.ListModelsAsync());
        Assert.Equal(["20260102T000000Z", "20260101T000000Z"], await registry.ListVersionsAsync(model));
        var manifest = await registry.ReadManifestAsync(model, "20260101T000000Z");
        Assert.Equal(["decoder.onnx", "encoder.onnx"], manifest.Files.Select(file => file.Name));
        Assert.Equal("encoder", (await registry.ReadFileAsync(manifest, "encoder.onnx")).ToString());
        Assert.Equal("decoder", (await registry.ReadFileAsync(model, "20260102T000000Z", "decoder.onnx")).ToString());
        Assert.Null(await registry.ReadCurrentAsync(model)); // publishing is not promoting
    }

    [SkippableFact]
    public async Task A_version_is_immutable()
    {
        var (registry, _) = await WithVersionsAsync("v1");

        await registry.PublishAsync(ManifestTests.Example(model, "v1"), Files); // the very same again, as after a lost answer
        var other = new Dictionary<string, BinaryData>(Files) { ["encoder.onnx"] = BinaryData.FromString("another") };
        var error = await Assert.ThrowsAsync<VersionTakenException>(
            () => registry.PublishAsync(ManifestTests.Example(model, "v1"), other));
        Assert.Contains("encoder.onnx", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<VersionTakenException>(
            () => registry.PublishAsync(ManifestTests.Example(model, "v1", loss: 99), Files));
        Assert.Equal("encoder", (await registry.ReadFileAsync(model, "v1", "encoder.onnx")).ToString());
    }

    [SkippableFact]
    public async Task A_publish_that_stops_before_the_manifest_leaves_no_version_and_can_be_repeated()
    {
        var (registry, store) = await WithVersionsAsync();
        var failing = new ModelRegistry(new StoreThatFailsOn(store, ModelRegistry.ManifestName));
        await Assert.ThrowsAsync<StorageException>(() => failing.PublishAsync(ManifestTests.Example(model, "v1"), Files));

        Assert.Empty(await registry.ListVersionsAsync(model));
        await Assert.ThrowsAsync<ModelNotFoundException>(() => registry.ReadManifestAsync(model, "v1"));
        await Assert.ThrowsAsync<ModelNotFoundException>(() => registry.PromoteAsync(model, "v1", "", null));

        await registry.PublishAsync(ManifestTests.Example(model, "v1"), Files);
        Assert.Equal(["v1"], await registry.ListVersionsAsync(model));
    }

    [SkippableFact]
    public async Task A_damaged_or_missing_file_is_refused_by_name()
    {
        var (registry, store) = await WithVersionsAsync("v1", "v2");
        await store.WriteAsync($"models/{model}/v1/encoder.onnx", BinaryData.FromString("encodes")); // the same length
        await store.DeleteAsync($"models/{model}/v2/decoder.onnx");

        var damaged = await Assert.ThrowsAsync<ModelFormatException>(() => registry.ReadFileAsync(model, "v1", "encoder.onnx"));
        Assert.Contains($"models/{model}/v1/encoder.onnx", damaged.Message, StringComparison.Ordinal);
        Assert.Contains("SHA-256", damaged.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ModelFormatException>(() => registry.ReadFileAsync(model, "v2", "decoder.onnx"));
        var incomplete = await Assert.ThrowsAsync<RegistryException>(() => registry.PromoteAsync(model, "v2", "", null));
        Assert.Contains("decoder.onnx is missing", incomplete.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_file_of_another_size_keeps_a_version_from_serving()
    {
        var (registry, store) = await WithVersionsAsync("v1");
        await store.WriteAsync($"models/{model}/v1/encoder.onnx", BinaryData.FromString("enc"));

        var error = await Assert.ThrowsAsync<RegistryException>(() => registry.PromoteAsync(model, "v1", "", null));
        Assert.Contains("encoder.onnx has 3 bytes, 7 were published", error.Message, StringComparison.Ordinal);
        Assert.Null(await registry.ReadCurrentAsync(model));
    }

    [SkippableFact]
    public async Task Promotions_are_remembered_and_rolled_back_one_after_another()
    {
        var (registry, _) = await WithVersionsAsync("v1", "v2", "v3");
        CurrentPointer? pointer = null;
        foreach (var version in (string[])["v1", "v2", "v3"])
            pointer = await registry.PromoteAsync(model, version, $"{version} is better", pointer);

        var read = await registry.ReadCurrentAsync(model);
        Assert.Equal(("v3", "v2", "v3 is better", pointer!.ETag), (read!.Version, read.Previous, read.Reason, read.ETag));

        Assert.Equal("v2", (await registry.RollbackAsync(model)).Version);
        Assert.Equal("v1", (await registry.RollbackAsync(model)).Version);
        var error = await Assert.ThrowsAsync<RegistryException>(() => registry.RollbackAsync(model));
        Assert.Contains("v3, v2, v1", error.Message, StringComparison.Ordinal);

        var forward = await registry.RollbackAsync(model, "v3", "v3 was not to blame");
        Assert.Equal(("v3", "v1", "v3 was not to blame"), (forward.Version, forward.Previous, forward.Reason));
        Assert.Equal("v1", (await registry.RollbackAsync(model, "v1")).Version);
        Assert.Null((await registry.ReadCurrentAsync(model))!.Previous);
    }

    [SkippableFact]
    public async Task What_a_rollback_leaves_is_marked_until_it_is_named_again()
    {
        var (registry, store) = await WithVersionsAsync("v1", "v2", "v3", "v4");
        CurrentPointer? pointer = null;
        foreach (var version in (string[])["v1", "v2", "v3"])
            pointer = await registry.PromoteAsync(model, version, "", pointer);
        Assert.Equal(["v3", "v2"], (await registry.RollbackAsync(model, "v1")).RolledBack!);
        pointer = await registry.RollbackAsync(model, "v3");
        Assert.Equal(["v2"], pointer.RolledBack!);
        Assert.True(pointer.Knows("v1") && pointer.Knows("v2") && pointer.Knows("v3") && !pointer.Knows("v4"));

        await store.WriteAsync($"models/{model}/current.json", BinaryData.FromString("{"));
        Assert.Equal(["v4", "v3", "v2"], (await registry.RollbackAsync(model, "v1")).RolledBack!);
    }

    [SkippableFact]
    public async Task No_pointer_moves_to_a_version_with_a_flipped_bit()
    {
        var (registry, store) = await WithVersionsAsync("v1", "v2");
        var pointer = await registry.PromoteAsync(model, "v2", "", await registry.PromoteAsync(model, "v1", "", null));
        await store.WriteAsync($"models/{model}/v1/encoder.onnx", BinaryData.FromString("dncoder"));

        var error = await Assert.ThrowsAsync<ModelFormatException>(() => registry.RollbackAsync(model));
        Assert.Contains($"models/{model}/v1/encoder.onnx", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ModelFormatException>(() => registry.PromoteAsync(model, "v1", "", pointer));
        Assert.Equal(pointer.ETag, (await registry.ReadCurrentAsync(model))!.ETag);
    }

    [SkippableFact]
    public async Task A_manifest_in_which_a_figure_was_changed_is_refused()
    {
        var (registry, store) = await WithVersionsAsync("v1");
        var path = $"models/{model}/v1/manifest.json";
        var whole = (await store.TryReadAsync(path, 1 << 20))!.Content.ToString();
        await store.WriteAsync(path, BinaryData.FromString(whole.Replace("\"test_loss\": 100", "\"test_loss\": 10")));
        var changed = await Assert.ThrowsAsync<ModelFormatException>(() => registry.ReadManifestAsync(model, "v1"));
        Assert.StartsWith(path, changed.Message, StringComparison.Ordinal);

        // What an earlier build wrote has no seal, and is no other version when it is published again.
        var old = System.Text.RegularExpressions.Regex.Replace(whole, "\"seal\": \"[0-9a-f]{64}\",", "");
        Assert.NotEqual(whole, old);
        await store.WriteAsync(path, BinaryData.FromString(old));
        Assert.Equal(100, (await registry.ReadManifestAsync(model, "v1")).Metrics[Manifest.TestLoss]);
        await registry.PublishAsync(ManifestTests.Example(model, "v1"), Files);
    }

    [SkippableFact]
    public async Task Another_manifest_in_the_place_of_the_promoted_one_is_refused()
    {
        var (registry, store) = await WithVersionsAsync("v1", "v2");
        var first = await registry.PromoteAsync(model, "v1", "", null);
        var second = await registry.PromoteAsync(model, "v2", "", first);
        await registry.ReadManifestAsync(model, second);
        await store.WriteAsync($"models/{model}/v1/manifest.json",
            ManifestJson.Write((await registry.ReadManifestAsync(model, "v1")) with { LatentSize = 17 }));

        await Assert.ThrowsAsync<ModelFormatException>(() => registry.ReadManifestAsync(model, first));
        var error = await Assert.ThrowsAsync<ModelFormatException>(() => registry.RollbackAsync(model));
        Assert.Contains("not the manifest that was promoted", error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task What_is_read_badly_once_is_read_again()
    {
        var (whole, store) = await WithVersionsAsync("v1");
        await whole.PromoteAsync(model, "v1", "", null);
        ModelRegistry Bad(int times) => new(new HalfReads(store, times));
        Assert.Equal("v1", (await Bad(1).ReadCurrentAsync(model))!.Version);
        Assert.Equal("encoder", (await Bad(1).ReadFileAsync(model, "v1", "encoder.onnx")).ToString());
        var manifest = await Bad(1).ReadManifestAsync(model, "v1");
        Assert.Equal("encoder", (await Bad(1).ReadFileAsync(manifest, "encoder.onnx")).ToString());
        await Assert.ThrowsAsync<ModelFormatException>(() => Bad(2).ReadFileAsync(manifest, "encoder.onnx"));
    }

    [SkippableFact]
    public async Task What_a_publication_left_that_was_cut_off_a_day_ago_is_swept()
    {
        var (_, store) = await WithVersionsAsync("20260101T000000Z");
        foreach (var path in (string[])["20260102T000000Z/encoder.onnx", "20260103T000000Z/decoder.onnx", "notes/mine.txt"])
            await store.WriteAsync($"models/{model}/{path}", BinaryData.FromString(path));
        var later = new ModelRegistry(new Aged(store, path => path.Contains("20260102", StringComparison.Ordinal)
            || path.Contains("20260101", StringComparison.Ordinal) || path.Contains("notes", StringComparison.Ordinal)));
        await later.SweepAsync(model);

        var left = await store.ListAsync($"models/{model}/").Select(blob => blob.Path[$"models/{model}/".Length..]).ToListAsync();
        Assert.Equal(["20260101T000000Z/decoder.onnx", "20260101T000000Z/encoder.onnx", "20260101T000000Z/manifest.json",
            "20260103T000000Z/decoder.onnx", "notes/mine.txt"], left);
    }

    [SkippableFact]
    public async Task Two_rollbacks_at_once_go_back_by_one_version_and_none_fails()
    {
        var (registry, store) = await WithVersionsAsync("v1", "v2", "v3");
        CurrentPointer? pointer = null;
        foreach (var version in (string[])["v1", "v2", "v3"])
            pointer = await registry.PromoteAsync(model, version, "", pointer);
        var slower = new ModelRegistry(new StoreThatWaitsBefore(store, () => registry.RollbackAsync(model)));
        Assert.Equal("v2", (await slower.RollbackAsync(model)).Version);
        Assert.Equal("v2", (await registry.ReadCurrentAsync(model))!.Version);

        var overtaken = new ModelRegistry(new StoreThatWaitsBefore(store, () => registry.RollbackAsync(model, "v3")));
        var moved = await Assert.ThrowsAsync<PointerMovedException>(() => overtaken.RollbackAsync(model));
        Assert.True(moved.ExitCode == 1 && moved.Message.Contains("v3 serves now", StringComparison.Ordinal), moved.Message);
    }

    [SkippableFact]
    public async Task Promoting_what_serves_already_changes_nothing()
    {
        var (registry, _) = await WithVersionsAsync("v1");
        var pointer = await registry.PromoteAsync(model, "v1", "first", null);
        Assert.Equal(pointer, await registry.PromoteAsync(model, "v1", "again", pointer));
        Assert.Equal(pointer.ETag, (await registry.RollbackAsync(model, "v1")).ETag);
    }

    [SkippableFact]
    public async Task The_history_is_bounded()
    {
        var (registry, _) = await WithVersionsAsync("v1", "v2");
        CurrentPointer? pointer = null;
        for (var i = 0; i < CurrentPointer.MaxHistory + 5; i++)
            pointer = await registry.PromoteAsync(model, i % 2 == 0 ? "v1" : "v2", "", pointer);
        Assert.Equal(CurrentPointer.MaxHistory, (await registry.ReadCurrentAsync(model))!.History.Count);
    }

    [SkippableFact]
    public async Task Of_many_promotions_that_saw_the_same_exactly_one_wins_each_round()
    {
        string[] versions = [.. Enumerable.Range(0, 8).Select(i => $"v{i}")];
        var (registry, _) = await WithVersionsAsync([.. versions, "start"]);
        CurrentPointer? seen = null;
        for (var round = 0; round < 3; round++)
        {
            var attempts = await Task.WhenAll(versions.Where(
                version => version != seen?.Version).Select(version => Task.Run(async () =>
            {
                try
                {
                    return (Pointer: (CurrentPointer?)await registry.PromoteAsync(model, version, "race", seen), Error: "");
                }
                catch (RegistryException e)
                {
                    return (Pointer: null, Error: e.Message);
                }
            })));
            var winner = Assert.Single(attempts, attempt => attempt.Pointer is not null).Pointer!;
            Assert.All(attempts.Where(attempt => attempt.Pointer is null),
                attempt => Assert.Contains($"{winner.Version} serves now", attempt.Error, StringComparison.Ordinal));
            seen = await registry.ReadCurrentAsync(model);
            Assert.Equal(winner.Version, seen!.Version);
            Assert.Equal(round, seen.History.Count);
        }
    }

    [SkippableFact]
    public async Task What_is_not_there_is_answered_with_what_is()
    {
        var (registry, _) = await WithVersionsAsync("v1");

        var noVersion = await Assert.ThrowsAsync<ModelNotFoundException>(() => registry.ReadManifestAsync(model, "v2"));
        Assert.Contains("It has v1.", noVersion.Message, StringComparison.Ordinal);
        var noModel = await Assert.ThrowsAsync<ModelNotFoundException>(() => registry.ReadManifestAsync("nothing", "v1"));
        Assert.Contains("There is no model nothing", noModel.Message, StringComparison.Ordinal);
        var noFile = await Assert.ThrowsAsync<ModelNotFoundException>(() => registry.ReadFileAsync(model, "v1", "prior.onnx"));
        Assert.Contains("decoder.onnx, encoder.onnx", noFile.Message, StringComparison.Ordinal);
        var notServing = await Assert.ThrowsAsync<ModelNotFoundException>(() => registry.RollbackAsync(model));
        Assert.Contains("Promote one of v1", notServing.Message, StringComparison.Ordinal);
        Assert.Empty(await registry.ListVersionsAsync("nothing"));
        Assert.Null(await registry.ReadCurrentAsync("nothing"));
    }

    [SkippableTheory]
    [InlineData("../etc", "v1")]
    [InlineData("Faces", "v1")]
    [InlineData("", "v1")]
    [InlineData(".hidden", "v1")]
    [InlineData("a/b", "v1")]
    [InlineData("a\n", "v1")]
    [InlineData("faces", "..")]
    [InlineData("faces", "a/b")]
    [InlineData("faces", "")]
    [InlineData("faces", "current.json")]
    public async Task A_name_that_is_not_safe_is_refused(string name, string version)
    {
        var registry = new ModelRegistry(Open());
        await Assert.ThrowsAsync<RegistryException>(() => registry.ReadManifestAsync(name, version));
        await Assert.ThrowsAnyAsync<RegistryException>(() => registry.PublishAsync(ManifestTests.Example(name, version), Files));
    }

    [SkippableFact]
    public async Task A_damaged_pointer_is_told_apart_from_none()
    {
        var (registry, store) = await WithVersionsAsync("v1");
        foreach (var damage in (string[])["", "null", "{}",
            "{\"version\":\"../x\",\"changed\":\"2026-01-01T00:00:00Z\",\"reason\":\"\"}", "\u0000\u0000"])
        {
            await store.WriteAsync($"models/{model}/current.json", BinaryData.FromString(damage));
            await Assert.ThrowsAsync<ModelFormatException>(() => registry.ReadCurrentAsync(model));
        }
    }

    [SkippableFact]
    public async Task A_damaged_pointer_is_replaced_by_a_promotion_or_a_named_rollback()
    {
        var (registry, store) = await WithVersionsAsync("v1", "v2");
        await store.WriteAsync($"models/{model}/current.json", BinaryData.FromString("{"));
        Assert.Equal("v1", (await registry.PromoteAsync(model, "v1", "mended", null)).Version);

        await store.WriteAsync($"models/{model}/current.json", BinaryData.FromString("{"));
        await Assert.ThrowsAsync<ModelFormatException>(() => registry.RollbackAsync(model));
        Assert.Equal("v2", (await registry.RollbackAsync(model, "v2")).Version);
        Assert.Equal("v2", (await registry.ReadCurrentAsync(model))!.Version);
        // a sound one is not replaced unseen
        await Assert.ThrowsAsync<PointerMovedException>(() => registry.PromoteAsync(model, "v1", "", null));
    }

    [SkippableFact]
    public async Task A_new_version_is_the_time_and_unused()
    {
        var (registry, _) = await WithVersionsAsync();
        var now = new DateTimeOffset(2026, 1, 2, 5, 4, 5, TimeSpan.FromHours(2));

        Assert.Equal("20260102T030405Z", await registry.NewVersionAsync(model, now));
        await registry.PublishAsync(ManifestTests.Example(model, "20260102T030405Z"), Files);
        Assert.Equal("20260102T030405Z-02", await registry.NewVersionAsync(model, now));
        await registry.PublishAsync(ManifestTests.Example(model, "20260102T030405Z-02"), Files);
        await registry.PublishAsync(ManifestTests.Example(model, "20260102T030406Z"), Files);
        Assert.Equal(["20260102T030406Z", "20260102T030405Z-02", "20260102T030405Z"], await registry.ListVersionsAsync(model));
    }

    /// <summary>A store in which something else comes first, before the pointer is written.</summary>
    sealed class StoreThatWaitsBefore(IBlobStore store, Func<Task> other) : PassingStore(store)
    {
        public override async Task<string> WriteAsync(
            string path, BinaryData content, WriteCondition condition, CancellationToken cancellation)
        {
            if (path.EndsWith(ModelRegistry.PointerName, StringComparison.Ordinal)) await other();
            return await base.WriteAsync(path, content, condition, cancellation);
        }
    }

    /// <summary>A store in which some blobs are two days old.</summary>
    sealed class Aged(IBlobStore store, Func<string, bool> isOld) : PassingStore(store)
    {
        public override IAsyncEnumerable<BlobEntry> ListAsync(string prefix, CancellationToken cancellation) =>
            base.ListAsync(prefix, cancellation)
                .Select(blob => isOld(blob.Path) ? blob with { Changed = blob.Changed.AddDays(-2) } : blob);
    }

    /// <summary>A store whose power goes at one file.</summary>
    sealed class StoreThatFailsOn(IBlobStore store, string name) : PassingStore(store)
    {
        public override Task<string> WriteAsync(
            string path, BinaryData content, WriteCondition condition, CancellationToken cancellation) =>
            path.EndsWith(name, StringComparison.Ordinal)
                ? throw new StorageException("The power went.")
                : base.WriteAsync(path, content, condition, cancellation);
    }
}

public sealed class ModelRegistryInFolderTests : ModelRegistryContract, IDisposable
{
    readonly TemporaryFolder folder = new();

    protected override IBlobStore Open() => new FolderBlobStore(folder.Path);

    public void Dispose() => folder.Dispose();
}
