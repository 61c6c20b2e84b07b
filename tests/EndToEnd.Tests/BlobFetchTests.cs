using VaeFunctions.LocalCloud;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests;

public sealed class BlobFetchTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    FolderBlobStore Store => new(folder.File("storage"));

    string Target => folder.File("target");

    [Fact]
    public async Task Every_blob_below_a_prefix_becomes_a_file_and_no_other()
    {
        foreach (var path in (string[])["results/mine/a.png", "results/mine/deep/er/b.json", "results/other/c.png"])
            await Store.WriteAsync(path, BinaryData.FromString(path));

        var report = await FetchAsync(Store, "results/mine/");

        Assert.Equal((2, 18 + 27), (report.Fetched, report.Bytes));
        Assert.Equal(["a.png", "deep/er/b.json"], Files());
        Assert.Equal("results/mine/deep/er/b.json", File.ReadAllText(Path.Combine(Target, "deep/er/b.json")));
    }

    [Fact]
    public async Task Without_a_slash_at_its_end_the_prefix_is_the_beginning_of_names()
    {
        foreach (var path in (string[])["results/mine/face-1.png", "results/mine/face-2.png", "results/mine/house.png"])
            await Store.WriteAsync(path, BinaryData.FromString(path));

        await FetchAsync(Store, "results/mine/face");

        Assert.Equal(["face-1.png", "face-2.png"], Files());
    }

    [Fact]
    public async Task What_is_there_already_is_left_and_what_has_changed_comes_anew()
    {
        await Store.WriteAsync("results/mine/same.txt", BinaryData.FromString("same"));
        await Store.WriteAsync("results/mine/changed.txt", BinaryData.FromString("old"));
        foreach (var file in Directory.GetFiles(folder.File("storage/results/mine")))
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddMinutes(-1));
        await FetchAsync(Store, "results/");
        await Store.WriteAsync("results/mine/changed.txt", BinaryData.FromString("new"));

        var report = await FetchAsync(Store, "results/");

        Assert.Equal((1, 1), (report.Fetched, report.Left));
        Assert.Equal("new", File.ReadAllText(Path.Combine(Target, "mine/changed.txt")));
    }

    [Fact]
    public async Task A_blob_that_was_written_just_now_is_fetched_again()
    {
        await Store.WriteAsync("results/mine/a.txt", BinaryData.FromString("a"));
        await FetchAsync(Store, "results/");

        Assert.Equal(1, (await FetchAsync(Store, "results/")).Fetched); // its time does not tell it from the next write
    }

    [Theory]
    [InlineData("results/mine/../../outside.txt")]
    [InlineData("results/mine//etc/outside.txt")]
    [InlineData(@"results/mine/..\outside.txt")]
    [InlineData("results/mine/a\nb.txt")]
    [InlineData("results/mine/kept.txt/below.txt")]
    public async Task A_name_that_no_file_can_have_is_skipped_and_the_rest_comes(string odd)
    {
        await Store.WriteAsync("results/mine/kept.txt", BinaryData.FromString("kept"));
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Target).FullName, "kept.txt"), "of an earlier fetch");

        var report = await FetchAsync(new AlsoListed(Store, odd), "results/mine/");

        Assert.Equal(1, report.Fetched);
        Assert.Single(report.Skipped);
        Assert.Equal(["kept.txt"], Files());
        Assert.Empty(Directory.GetFiles(folder.Path, "*outside*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task The_marker_of_a_folder_is_no_blob_that_fails()
    {
        await Store.WriteAsync("results/mine/a.txt", BinaryData.FromString("a"));

        Assert.Empty((await FetchAsync(new AlsoListed(Store, "results/mine/"), "results/mine/")).Skipped);
    }

    [Fact]
    public async Task Nothing_below_a_prefix_is_wrong_input_that_names_what_there_is()
    {
        await Store.WriteAsync("results/mine/a.txt", BinaryData.FromString("a"));

        var wrong = await Assert.ThrowsAsync<LocalCloudException>(
            () => FetchCommand.FetchAsync(Store, "results/Mine/latents/", Target, default));
        var empty = await Assert.ThrowsAsync<LocalCloudException>(
            () => FetchCommand.FetchAsync(Store, "reslts/mine/", Target, default));

        Assert.Equal(2, wrong.ExitCode);
        Assert.Contains("Folders in results/: mine/.", wrong.Message, StringComparison.Ordinal);
        Assert.Contains("The container reslts is empty or not there", empty.Message, StringComparison.Ordinal);
    }

    Task<FetchReport> FetchAsync(IBlobStore store, string prefix) =>
        new BlobFetch(store, prefix, Target).RunAsync(_ => { }, default);

    IEnumerable<string> Files() => Directory.GetFiles(Target, "*", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(Target, file)).Order(StringComparer.Ordinal);

    /// <summary>A storage with one name more, which only Azure's can have.</summary>
    sealed class AlsoListed(IBlobStore store, string path) : PassingStore(store)
    {
        public override async IAsyncEnumerable<BlobEntry> ListAsync(
            string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
        {
            await foreach (var blob in base.ListAsync(prefix, cancellation)) yield return blob;
            yield return new(path, 0, "\"1\"", DateTimeOffset.UnixEpoch);
        }

        public override Task<Stream?> TryOpenAsync(string name, Opening opening, CancellationToken cancellation) =>
            name == path ? Task.FromResult<Stream?>(new MemoryStream([1])) : base.TryOpenAsync(name, opening, cancellation);
    }
}
