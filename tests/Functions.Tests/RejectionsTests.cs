using Microsoft.Extensions.Time.Testing;
using VaeFunctions.Registry;
using VaeFunctions.Serving;

namespace VaeFunctions.Tests;

public sealed class RejectionsTests : IDisposable
{
    readonly TemporaryFolder folder = new();
    readonly FakeTimeProvider clock = new();
    readonly Counted store;
    readonly Rejections rejections;

    public RejectionsTests()
    {
        store = new(new FolderBlobStore(folder.Path));
        rejections = new(store) { Clock = clock };
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Images_that_come_one_after_another_share_a_listing_however_quick_each_is()
    {
        await store.WriteAsync("rejected/tiny/3.jpg.json", new("{}"), default, default);
        Assert.False(await rejections.MayHoldAsync("tiny/first.jpg", TimeSpan.Zero, default)); // waits for nothing
        var asked = new List<Task<bool>>();
        for (var image = 0; image < 20; image++)
        {
            clock.Advance(TimeSpan.FromMilliseconds(10));
            asked.Add(rejections.MayHoldAsync($"tiny/{image}.jpg", TimeSpan.Zero, default));
        }
        clock.Advance(TimeSpan.FromMilliseconds(99));
        Assert.Equal(1, store.Listings);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(Enumerable.Range(0, 20).Select(image => image == 3), await Task.WhenAll(asked));
        Assert.Equal(2, store.Listings);
    }

    [Fact]
    public async Task What_was_rejected_since_the_last_listing_is_found()
    {
        Assert.False(await rejections.MayHoldAsync("tiny/a.jpg", TimeSpan.Zero, default));
        clock.Advance(TimeSpan.FromMilliseconds(10));
        await store.WriteAsync("rejected/tiny/a.jpg.json", new("{}"), default, default);
        clock.Advance(TimeSpan.FromMilliseconds(10));
        var again = rejections.MayHoldAsync("tiny/a.jpg", TimeSpan.Zero, default);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(await again);
        Assert.Equal(2, store.Listings);
    }

    [Fact]
    public async Task A_listing_serves_images_written_before_it_began_and_each_model_has_its_own()
    {
        Assert.False(await rejections.MayHoldAsync("tiny/a.jpg", TimeSpan.Zero, default));
        clock.Advance(TimeSpan.FromSeconds(5));
        Assert.False(await rejections.MayHoldAsync("tiny/b.jpg", TimeSpan.FromSeconds(6), default));
        Assert.Equal(1, store.Listings);
        Assert.False(await rejections.MayHoldAsync("other/b.jpg", TimeSpan.Zero, default));
        Assert.Equal(2, store.Listings);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_a_listing_that_failed_the_next_image_lists_at_once(bool cancelled)
    {
        store.Fault = cancelled ? new OperationCanceledException() : new StorageException("It does not answer.");
        var thrown = await Record.ExceptionAsync(() => rejections.MayHoldAsync("tiny/a.jpg", TimeSpan.Zero, default));
        Assert.IsType(store.Fault.GetType(), thrown, exactMatch: false);
        store.Fault = null;
        var next = rejections.MayHoldAsync("tiny/a.jpg", TimeSpan.Zero, default);
        Assert.False(await next.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    sealed class Counted(IBlobStore store) : PassingStore(store)
    {
        public int Listings { get; private set; }

        public Exception? Fault { get; set; }

        public override IAsyncEnumerable<BlobEntry> ListAsync(string prefix, CancellationToken cancellation)
        {
            Listings++;
            return Fault is not null ? throw Fault : base.ListAsync(prefix, cancellation);
        }
    }
}
