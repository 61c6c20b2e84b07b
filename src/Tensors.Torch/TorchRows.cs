using TorchSharp;
using VaeFunctions.Tensors;
using Native = TorchSharp.torch.Tensor;

namespace VaeFunctions.Torch;

/// <summary>Rows of bytes as one tensor, [rows, length], which no scope disposes of.</summary>
sealed class TorchRows : IResidentRows
{
    /// <summary>How much is copied at once.</summary>
    const int ChunkBytes = 1 << 26;

    readonly Native table;

    public TorchRows(int count, int length, Func<int, ReadOnlySpan<byte>> row, torch.Device place)
    {
        table = torch.empty([count, length], torch.uint8, place).DetachFromDisposeScope();
        var most = Math.Max(1, ChunkBytes / length);
        for (var start = 0; start < count; start += most)
        {
            using var scope = torch.NewDisposeScope();
            var rows = Math.Min(most, count - start);
            var chunk = torch.empty([rows, length], torch.uint8);
            var bytes = chunk.bytes;
            for (var i = 0; i < rows; i++) row(start + i).CopyTo(bytes.Slice(i * length, length));
            table.narrow(0, start, rows).copy_(chunk);
        }
    }

    public Tensor Take(IBackend backend, ReadOnlySpan<int> places, Shape shape) => ((TorchOperations)backend).FromRows(table, places, shape);

    public void Dispose() => table.Dispose();
}
