using System.Numerics.Tensors;
using VaeFunctions.Data;
using VaeFunctions.Imaging;
using VaeFunctions.Models;
using VaeFunctions.Tensors;

namespace VaeFunctions.Evaluation;

/// <summary>Training images laid out on a disc, so that neighbours look alike, each with its latent vector.</summary>
/// <remarks>
/// The axes are the principal axes of the decoded pixels: those of the codes mix up what is seen. The rank of a point's distance
/// from the centre becomes its radius, which fills the disc evenly, and a little repulsion lets every thumbnail be seen. No
/// original is kept: what a thumbnail shows can be decoded from its latent. N = images, L = latent size, P = places of codes.
/// </remarks>
public sealed record LatentMap
{
    /// <summary>Images on a map, and the numbers of all their latents together, at most.</summary>
    const int MostImages = 2000, MostNumbers = 4 << 20;

    /// <summary>Images are compared at no more than this many pixels a side.</summary>
    const int Side = 32;

    const int BatchSize = 256, AxisRounds = 40, RepulsionRounds = 150;

    /// <summary>How near two thumbnails may be, and how far from the centre, where the disc has radius 1.</summary>
    const float Distance = 0.0405f, Edge = 0.985f;

    public required int Count { get; init; }

    public required int LatentSize { get; init; }

    /// <summary>[N, 2], in the unit disc.</summary>
    public required float[] Positions { get; init; }

    /// <summary>[N, L], the means of the posteriors.</summary>
    public required float[] Latents { get; init; }

    /// <summary>[N, P], for a model with a codebook; else null.</summary>
    public int[]? Codes { get; init; }

    /// <summary>[K, L / P], the vectors of the codes; null without a codebook.</summary>
    public float[]? Codebook { get; init; }

    /// <summary>[N, 3], each decoded image's mean colour.</summary>
    public required byte[] Colours { get; init; }

    /// <summary>The share of the pixels' variance along each of the two axes.</summary>
    public required double[] Explained { get; init; }

    /// <summary>The mean KL of each latent, or of each place of codes, in nats.</summary>
    public required IReadOnlyList<double> KlPerLatent { get; init; }

    /// <summary>The images themselves, for their labels and attributes.</summary>
    public required ImageDataset Images { get; init; }

    /// <summary>Lays out images from all over a set.</summary>
    public static LatentMap Of(
        Vae model, ImageDataset data, IReadOnlyList<double> klPerLatent, CancellationToken cancellation = default)
    {
        var places = (model as IAutoregressive)?.Places;
        var count = Math.Min(Math.Min(MostImages, data.Count), Math.Max(1, MostNumbers / (places ?? model.LatentSize)));
        var images = data.Select([.. Enumerable.Range(0, count).Select(i => (int)((long)i * data.Count / count))]);
        var latents = ImageScores.MeansOf(model, images, cancellation);
        var decoded = Decode(model, images, latents, cancellation);
        var (coordinates, explained) = PrincipalAxes([.. decoded.Select(Small)], cancellation);
        return new()
        {
            Count = count,
            LatentSize = model.LatentSize,
            Positions = Spread(coordinates),
            Latents = latents,
            Codes = model is IAutoregressive quantised ? CodesOf(model, quantised, latents, cancellation) : null,
            Codebook = CodebookOf(model),
            Colours = [.. decoded.SelectMany(MeanColour)],
            Explained = explained,
            KlPerLatent = klPerLatent,
            Images = images,
        };
    }

    static List<Image> Decode(Vae model, ImageDataset images, float[] latents, CancellationToken cancellation)
    {
        var backend = model.Parameters.Backend;
        var decoded = new List<Image>(images.Count);
        foreach (var batch in Enumerable.Range(0, images.Count).Chunk(BatchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = backend.BeginScope();
            var latent = backend.FromValues(
                latents.AsSpan(batch[0] * model.LatentSize, batch.Length * model.LatentSize),
                new(batch.Length, model.LatentSize));
            var labels = model.Classes == 0
                ? null
                : backend.FromValues([.. batch.Select(i => (float)images.Labels![i])], new(batch.Length));
            var pixels = Array.ConvertAll(model.DecodePixels(latent, labels).ToArray(), value => (byte)value);
            decoded.AddRange(pixels.Chunk(model.Image.Size).Select(image => new Image(model.Image, image)));
        }
        return decoded;
    }

    static int[] CodesOf(Vae model, IAutoregressive quantised, float[] latents, CancellationToken cancellation)
    {
        var backend = model.Parameters.Backend;
        var codes = new List<int>();
        foreach (var batch in latents.Chunk(BatchSize * model.LatentSize))
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = backend.BeginScope();
            var latent = backend.FromValues(batch, new(batch.Length / model.LatentSize, model.LatentSize));
            codes.AddRange(quantised.CodesOf(latent).ToArray().Select(code => (int)code));
        }
        return [.. codes];
    }

    /// <summary>Each code's vector is what stands at the first place of the latent that has this code everywhere.</summary>
    static float[]? CodebookOf(Vae model)
    {
        if (model is not IAutoregressive quantised) return null;
        var (backend, depth) = (model.Parameters.Backend, model.LatentSize / quantised.Places);
        var vectors = new List<float>();
        foreach (var codes in Enumerable.Range(0, quantised.Codes).Chunk(BatchSize))
        {
            using var scope = backend.BeginScope();
            var everywhere = backend.FromValues(
                [.. codes.SelectMany(code => Enumerable.Repeat((float)code, quantised.Places))],
                new(codes.Length, quantised.Places));
            foreach (var latent in quantised.Latent(everywhere).ToArray().Chunk(model.LatentSize))
                vectors.AddRange(latent.AsSpan(0, depth));
        }
        return [.. vectors];
    }

    static float[] Small(Image image)
    {
        var scale = Math.Min(1, (double)Side / Math.Max(image.Width, image.Height));
        var small = image.Resize(Math.Max(1, (int)(image.Width * scale)), Math.Max(1, (int)(image.Height * scale)));
        return Array.ConvertAll(small.Pixels, pixel => pixel / 255f);
    }

    static byte[] MeanColour(Image image)
    {
        var sums = new long[3];
        for (var i = 0; i < image.Pixels.Length; i += image.Channels)
            for (var c = 0; c < 3; c++) sums[c] += image.Pixels[i + (image.Channels == 1 ? 0 : c)];
        return Array.ConvertAll(sums, sum => (byte)(sum * image.Channels / image.Pixels.Length));
    }

    /// <summary>Two principal components by power iteration: [N, 2] in units of their deviation, and the shares of the variance.
    /// Destroys the rows.</summary>
    static (float[] Coordinates, double[] Explained) PrincipalAxes(float[][] rows, CancellationToken cancellation)
    {
        var length = rows[0].Length;
        var mean = new float[length];
        foreach (var row in rows) TensorPrimitives.Add(mean, row, mean);
        TensorPrimitives.Divide(mean, rows.Length, mean);
        foreach (var row in rows) TensorPrimitives.Subtract(row, mean, row);
        var total = rows.Sum(row => (double)TensorPrimitives.SumOfSquares(row));

        var (coordinates, explained) = (new float[rows.Length * 2], new double[2]);
        for (var axis = 0; axis < 2; axis++)
        {
            var direction = new RandomStream(0, "axes of the map", (ulong)axis).Gaussians(length);
            var along = new float[rows.Length];
            for (var round = 0; round < AxisRounds; round++)
            {
                cancellation.ThrowIfCancellationRequested();
                var size = TensorPrimitives.Norm(direction);
                if (!(size > 0)) break; // nothing varies any more
                TensorPrimitives.Divide(direction, size, direction);
                for (var i = 0; i < rows.Length; i++) along[i] = TensorPrimitives.Dot(rows[i], direction);
                if (round == AxisRounds - 1) break;
                Array.Clear(direction);
                for (var i = 0; i < rows.Length; i++) TensorPrimitives.MultiplyAdd(rows[i], along[i], direction, direction);
            }
            var variance = (double)TensorPrimitives.SumOfSquares(along);
            explained[axis] = total > 0 ? variance / total : 0;
            var deviation = (float)Math.Sqrt(variance / rows.Length) + 1e-12f;
            for (var i = 0; i < rows.Length; i++)
            {
                coordinates[2 * i + axis] = along[i] / deviation;
                TensorPrimitives.MultiplyAdd(direction, -along[i], rows[i], rows[i]); // the next axis is across this one
            }
        }
        return (coordinates, explained);
    }

    /// <summary>Points of any density to ones that fill the unit disc evenly, in the same directions from its centre.</summary>
    static float[] Spread(float[] points)
    {
        var count = points.Length / 2;
        var polar = Enumerable.Range(0, count)
            .Select(i => (Place: i, X: points[2 * i], Y: points[2 * i + 1]))
            .OrderBy(point => MathF.Sqrt(point.X * point.X + point.Y * point.Y)).ThenBy(point => point.Place);
        var (x, y) = (new float[count], new float[count]);
        foreach (var (rank, point) in polar.Index())
        {
            var (sin, cos) = MathF.SinCos(MathF.Atan2(point.Y, point.X));
            var radius = MathF.Sqrt((rank + 0.5f) / count) * 0.97f;
            (x[point.Place], y[point.Place]) = (radius * cos, radius * sin);
        }
        for (var round = 0; round < RepulsionRounds; round++) Repel(x, y);
        return [.. Enumerable.Range(0, count).SelectMany(i => new[] { x[i], y[i] })];
    }

    /// <summary>Moves points that are too near to each other apart, and all back into the disc.</summary>
    static void Repel(float[] x, float[] y)
    {
        var (moveX, moveY) = (new float[x.Length], new float[x.Length]);
        for (var i = 0; i < x.Length; i++)
        {
            for (var j = 0; j < i; j++)
            {
                var dx = x[i] - x[j];
                if (dx is > Distance or < -Distance) continue;
                var dy = y[i] - y[j];
                var apart = dx * dx + dy * dy;
                if (apart >= Distance * Distance) continue;
                var gap = MathF.Sqrt(apart) + 1e-6f;
                var push = (Distance - gap) / gap * 0.3f;
                (moveX[i], moveY[i]) = (moveX[i] + dx * push, moveY[i] + dy * push);
                (moveX[j], moveY[j]) = (moveX[j] - dx * push, moveY[j] - dy * push);
            }
        }
        for (var i = 0; i < x.Length; i++)
        {
            (x[i], y[i]) = (x[i] + moveX[i], y[i] + moveY[i]);
            var back = Edge / MathF.Max(Edge, MathF.Sqrt(x[i] * x[i] + y[i] * y[i]));
            (x[i], y[i]) = (x[i] * back, y[i] * back);
        }
    }
}
