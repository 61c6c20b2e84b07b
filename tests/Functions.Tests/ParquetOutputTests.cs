using System.Collections.Concurrent;
using Parquet;
using VaeFunctions.Registry;
using VaeFunctions.Serving;

namespace VaeFunctions.Tests;

/// <summary>The Parquet files of a job's slices; that they hold what the functions made of images is in
/// <see cref="ArchiveJobTests"/>.</summary>
public sealed class ParquetOutputTests : IDisposable
{
    const int Images = 2, Latents = 4;

    static readonly Job job = new("20260102t030405-0a", "tiny", "encode", "pictures/a/", "results/made/", null, Images,
        new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero), Job.Parquet);

    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Slices_that_are_packed_at_the_same_time_are_packed_as_if_alone()
    {
        const int slices = 12_000;
        var store = new Kept(new FolderBlobStore(folder.Path));
        await Parallel.ForAsync(0, slices, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (slice, cancellation) =>
        {
            var output = new ParquetOutput(job, slice, store);
            for (var i = 0; i < Images; i++)
                await output.AddAsync(new(i, new JobImage($"pictures/a/{i:00}.png"), null), [new(ResultOf(slice, i), null)],
                    cancellation);
            await output.CompleteAsync([], cancellation);
        });

        var wrong = new List<string>();
        for (var slice = 0; slice < slices; slice++)
        {
            await using var file = await ParquetReader.CreateAsync(
                store.Contents[$"results/made/{slice:000000}.parquet"].ToStream());
            using var group = file.OpenRowGroupReader(0);
            var latent = file.Schema.DataFields.Single(field => field.Path.ToString() == "latent/list/element");
            var (numbers, there, begins) =
                (new float[Images * Latents], new int[Images * Latents], new int[Images * Latents]);
            await group.ReadRawAsync<float>(latent, numbers, there.AsMemory(), begins.AsMemory(), default);
            var expected = Enumerable.Range(0, Images).SelectMany(i => ResultOf(slice, i).Latent!);
            if (!numbers.SequenceEqual(expected) || there.Any(level => level != latent.MaxDefinitionLevel)
                || !begins.SequenceEqual([0, 1, 1, 1, 0, 1, 1, 1])) // 0 begins a list
                wrong.Add($"{slice}: levels {string.Join(" and ", there.Distinct())}, {string.Join(" ", begins)}, "
                    + $"{string.Join(" ", numbers.Take(Latents))}, …");
        }
        Assert.Empty(wrong);
    }

    /// <summary>What is written stays in memory, so that the writers meet more often.</summary>
    sealed class Kept(IBlobStore store) : PassingStore(store)
    {
        public ConcurrentDictionary<string, BinaryData> Contents { get; } = [];

        public override Task<string> WriteAsync(
            string path, BinaryData content, WriteCondition condition, CancellationToken cancellation)
        {
            Contents[path] = content;
            return Task.FromResult("");
        }
    }

    static JobResult ResultOf(int slice, int i) => new("tiny", "v1", job.Id, null, null, null, null, null, null, null, null, null,
        null, null, [slice, i, slice - i, 0.5f * i], [-2, -2, -2, -2], null, null);
}
