using VaeFunctions.Imaging;

namespace VaeFunctions.Data.Faces;

/// <summary><c>faces</c>: cartoon faces that the project draws itself, with the truth about each.</summary>
static class FaceSource
{
    public const int DefaultCount = 8000;

    const int MinSide = 8, MaxSide = 512;

    /// <summary>As many faces to train on, and an eighth to test with. A face depends on seed and number alone.</summary>
    public static DataSplit Load(string source, int count, DataOptions options, CancellationToken cancellation)
    {
        var shape = options.Shape ?? new ImageShape(32, 32, 3);
        if (shape.Width is < MinSide or > MaxSide || shape.Height is < MinSide or > MaxSide)
            throw new DataException(
                $"{source}: faces are drawn from {MinSide}×{MinSide} to {MaxSide}×{MaxSide}; the model takes {shape}.");
        options.CheckMemory(source, count + count / 8L, shape);
        return DataSplit.Of(Draw(count, "face"), Draw(count / 8, "test face"), source);

        ImageDataset Draw(int faces, string purpose)
        {
            var images = new byte[faces][];
            var attributes = new float[faces, FaceAttributes.Names.Count];
            Parallel.For(0, faces, new ParallelOptions { CancellationToken = cancellation }, i =>
            {
                var face = FaceAttributes.Draw(new RandomStream(options.Seed, purpose, (ulong)i));
                images[i] = FaceRenderer.Render(face, shape).Pixels;
                var values = face.Values;
                for (var j = 0; j < values.Length; j++) attributes[i, j] = values[j];
            });
            return new ImageDataset(shape, images, attributes: attributes, attributeNames: FaceAttributes.Names);
        }
    }
}
