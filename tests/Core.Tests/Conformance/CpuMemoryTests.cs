using VaeFunctions.Cpu;
using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Conformance;

/// <summary>Alone, since other tests' memory would count.</summary>
[CollectionDefinition(nameof(CpuMemoryTests), DisableParallelization = true), Collection(nameof(CpuMemoryTests))]
public sealed class CpuMemoryTests
{
    /// <summary>Elements of 256 KiB: enough for the large object heap, and little enough to be quick.</summary>
    const int Block = 1 << 16;

    static long Blocks(long bytes) => bytes / (Block * sizeof(float));

    static void Step(CpuBackend backend, int blocks)
    {
        using var scope = backend.BeginScope();
        var x = backend.FromValues(new float[blocks * Block], new(blocks, Block));
        Assert.Equal(0, (x * 2 + 1 - 1).Sum().ToScalar());
    }

    [Fact]
    public void Steps_of_many_sizes_keep_the_memory_of_the_last_few()
    {
        var backend = new CpuBackend();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var blocks = 40; blocks > 10; blocks--) Step(backend, blocks);
        // Four arrays of each of the last sizes, 13, 12 and 11 blocks, and what is let go only when the next step allocates.
        Assert.InRange(Blocks(GC.GetTotalMemory(forceFullCollection: true) - before), 100, 400);
        GC.KeepAlive(backend);
    }

    [Fact]
    public void Steps_of_two_sizes_in_turn_ask_for_no_memory_once_they_have_it()
    {
        var backend = new CpuBackend();
        Step(backend, 40);
        Step(backend, 30);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var turn = 0; turn < 3; turn++)
        {
            Step(backend, 40);
            Step(backend, 30);
        }
        var given = 3 * 70;
        Assert.InRange(Blocks(GC.GetAllocatedBytesForCurrentThread() - before), given, given + 4);
    }

    [Fact]
    public void Steps_of_one_size_ask_for_no_memory_once_they_have_it()
    {
        var backend = new CpuBackend();
        Step(backend, 40);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var step = 0; step < 5; step++) Step(backend, 40);
        var given = 5 * 40; // blocks of values that the steps are given
        Assert.InRange(Blocks(GC.GetAllocatedBytesForCurrentThread() - before), given, given + 4);
    }
}
