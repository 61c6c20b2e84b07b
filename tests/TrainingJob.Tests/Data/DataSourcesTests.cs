using System.Runtime.CompilerServices;
using VaeFunctions.Data;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests.Data;

public class DataSourcesTests : Workspace
{
    [Theory]
    [InlineData("")]
    [InlineData("imagenet")]
    [InlineData("s3:bucket")]
    [InlineData("Folder:x")]
    public async Task An_unknown_kind_is_answered_with_the_kinds(string source)
    {
        var error =
            await Assert.ThrowsAsync<DataException>(() => DataSources.LoadAsync(source, new DataOptions { Cache = null }));
        Assert.Contains("There is no data source", error.Message, StringComparison.Ordinal);
        Assert.Contains("folder:pictures", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("folder:")]
    [InlineData("idx")]
    [InlineData("cifar10:")]
    [InlineData("blob")]
    public async Task A_source_without_a_place_is_refused(string source)
    {
        var error =
            await Assert.ThrowsAsync<DataException>(() => DataSources.LoadAsync(source, new DataOptions { Cache = null }));
        Assert.Contains("names no place", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("faces:many")]
    [InlineData("faces:-5")]
    [InlineData("faces:3")]
    [InlineData("faces:99999999999")]
    [InlineData("faces:2000000000")]
    public async Task A_senseless_number_of_faces_is_refused(string source) =>
        await Assert.ThrowsAsync<DataException>(
            () => DataSources.LoadAsync(source, new DataOptions { Cache = null, MaxMemory = 1 << 30 }));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(double.NaN)]
    public async Task A_senseless_test_fraction_is_refused(double fraction) =>
        await Assert.ThrowsAsync<DataException>(
            () => DataSources.LoadAsync("faces:8", new DataOptions { Cache = null, TestFraction = fraction }));

    [Fact]
    public async Task The_fingerprint_follows_pixels_labels_and_shape()
    {
        Write("train/a/1.png", Png(1));
        Write("train/b/1.png", Png(2));
        Write("test/a/1.png", Png(3));
        var seen = new HashSet<string> { (await LoadAsync("folder")).Fingerprint };
        Assert.False(seen.Add((await LoadAsync("folder")).Fingerprint));
        Assert.Matches("^[0-9a-f]{64}$", seen.Single());
        Write("train/a/1.png", Png(7));
        Assert.True(seen.Add((await LoadAsync("folder")).Fingerprint));
        File.Move(Path.Combine(Root, "train/b/1.png"), Path.Combine(Root, "train/a/2.png"));
        Assert.True(seen.Add((await LoadAsync("folder")).Fingerprint));
        Assert.True(
            seen.Add((await LoadAsync("folder", new DataOptions { Cache = null, Shape = new ImageShape(3, 4, 3) })).Fingerprint));
    }

    [Fact]
    public async Task Blobs_follow_the_rules_of_folders()
    {
        var blobs = new MemoryBlobs
        {
            ["training/pets/train/dog/1.png"] = Png(1),
            ["training/pets/train/cat/1.png"] = Png(2),
            ["training/pets/test/cat/1.png"] = Png(3),
            ["training/pets/notes.txt"] = [1],
            ["training/pets2/train/cat/1.png"] = Png(9),
        };
        var split =
            await DataSources.LoadAsync("blob:training/pets", new DataOptions { Cache = null, Blobs = blobs, Log = Log.Add });
        Assert.Equal([2, 1], Values(split.Train));
        Assert.Equal([3], Values(split.Test));
        Assert.Equal(["cat", "dog"], split.Train.LabelNames);
        Assert.Equal("blob:training/pets", split.Source);
        Assert.Contains(Log, line => line.Contains("such as notes.txt", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Faults_of_the_storage_are_said_under_the_sources_name()
    {
        var none = await Assert.ThrowsAsync<DataException>(
            () => DataSources.LoadAsync("blob:training/pets", new DataOptions { Cache = null }));
        Assert.Contains("no blob storage is configured", none.Message, StringComparison.Ordinal);
        var empty = await Assert.ThrowsAsync<DataException>(
            () => DataSources.LoadAsync("blob:training/pets", new DataOptions { Cache = null, Blobs = new MemoryBlobs() }));
        Assert.Contains("blob:training/pets in memory: there is no PNG,", empty.Message, StringComparison.Ordinal);
        var down = await Assert.ThrowsAsync<DataException>(
            () => DataSources.LoadAsync(
                "blob:training/pets", new DataOptions { Cache = null, Blobs = new MemoryBlobs { IsDown = true } }));
        Assert.Contains("cannot be reached", down.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_blob_too_large_or_broken_is_named(bool large)
    {
        var blobs = new MemoryBlobs { ["c/a.png"] = Png(1), ["c/b.png"] = large ? new byte[9000] : Png(1)[..40] };
        var options = new DataOptions
        {
            Cache = null,
            Blobs = blobs,
            Limits = new ImageLimits { MaxBytes = 8000 },
            MaxUnreadable = default,
        };
        var error = await Assert.ThrowsAsync<DataException>(() => DataSources.LoadAsync("blob:c", options));
        Assert.Contains(
            large ? "b.png: The blob has 9,000 bytes" : "b.png: The PNG is cut short", error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Mnist_itself_is_read()
    {
        var split = await DataSources.LoadAsync($"idx:{SharedData("mnist")}", new DataOptions { Cache = null });
        Assert.Equal((60_000, 10_000), (split.Train.Count, split.Test.Count));
        Assert.Equal(new ImageShape(28, 28, 1), split.Train.Shape);
        Assert.InRange(split.Train.Labels!.Count(label => label == 7), 6265, 6265); // as LeCun counts them
        Assert.Equal(0.1307, Enumerable.Range(0, 60_000).Average(i => Mean(split.Train.Pixels(i))), 3);

        static double Mean(ReadOnlySpan<byte> pixels)
        {
            var sum = 0;
            foreach (var value in pixels) sum += value;
            return sum / 255.0 / pixels.Length;
        }
    }

    /// <summary>A folder of real data: below VAE_DATA, or in shared/data beside the repository.</summary>
    static string SharedData(string name)
    {
        var repository = new DirectoryInfo(AppContext.BaseDirectory);
        while (repository is not null && !File.Exists(Path.Combine(repository.FullName, "VaeFunctions.sln")))
            repository = repository.Parent;
        var data =
            Environment.GetEnvironmentVariable("VAE_DATA") ?? Path.Combine(repository?.FullName ?? ".", "..", "shared", "data");
        var path = Path.Combine(data, name);
        Skip.IfNot(Directory.Exists(path), $"{name} is not in {data}; set VAE_DATA to the folder that has it.");
        return path;
    }

    /// <summary>Blobs in a dictionary.</summary>
    sealed class MemoryBlobs : SortedDictionary<string, byte[]>, IBlobStore
    {
        public MemoryBlobs() : base(StringComparer.Ordinal)
        {
        }

        public bool IsDown { get; init; }

        public string Location => "memory";

        public Task<Blob?> TryReadAsync(string path, long maxBytes, CancellationToken cancellation = default) =>
            Task.FromResult(TryGetValue(path, out var content) ? new Blob(new BinaryData(content), "1") : null);

        public async IAsyncEnumerable<BlobEntry> ListAsync(
            string prefix, [EnumeratorCancellation] CancellationToken cancellation = default)
        {
            await Task.Yield();
            if (IsDown) throw new StorageException("memory cannot be reached.");
            foreach (var (path, content) in this.Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal)))
                yield return new BlobEntry(path, content.Length, "1", default);
        }

        public Task<Stream?> TryOpenAsync(string path, Opening opening = default, CancellationToken cancellation = default) =>
            throw new NotSupportedException();

        public Task<string> WriteAsync(
            string path, BinaryData content, WriteCondition condition = default, CancellationToken cancellation = default) =>
            throw new NotSupportedException();

        public IAsyncEnumerable<string> ListFoldersAsync(string prefix, CancellationToken cancellation = default) =>
            throw new NotSupportedException();

        public Task DeleteAsync(string path, CancellationToken cancellation = default) => throw new NotSupportedException();
    }
}
