using VaeFunctions.Cpu;
using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Conformance;

public sealed class CpuMemoryTests
{
    const int Megabyte = 1 << 18; // of elements

    static void Step(CpuBackend backend, int megabytes)
    {
        using var scope = backend.BeginScope();
        var x = backend.FromValues(new float[megabytes * Megabyte], new(megabytes, Megabyte));
        Assert.Equal(0, (x * 2 + 1 - 1).Sum().ToScalar());
    }

    [Fact]
    public void Steps_of_many_sizes_keep_no_more_than_the_largest_took()
    {
        var backend = new CpuBackend();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var megabytes = 40; megabytes > 10; megabytes--) Step(backend, megabytes);
        Assert.InRange((GC.GetTotalMemory(forceFullCollection: true) - before) >> 20, 0, 400);
        GC.KeepAlive(backend);
    }

    [Fact]
    public void Steps_of_one_size_ask_for_no_memory_once_they_have_it()
    {
        var backend = new CpuBackend();
        Step(backend, 40);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var step = 0; step < 5; step++) Step(backend, 40);
        var given = 5 * 40; // megabytes of values that the steps are given
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) >> 20, given, given + 4);
    }
}
