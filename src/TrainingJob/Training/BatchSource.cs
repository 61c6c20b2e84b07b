using VaeFunctions.Data;
using VaeFunctions.Models;
using VaeFunctions.Tensors;

namespace VaeFunctions.Training;

/// <summary>A data set in the hands of a model, which takes batches from it. Disposing frees what a device keeps of the
/// images.</summary>
public sealed class BatchSource : IDisposable
{
    readonly ImageDataset data;
    readonly KeptRows? resident;

    /// <param name="keepOnDevice">Whether a device with memory of its own keeps all images there, as bytes: for those that are
    /// taken again in every epoch, unchanged.</param>
    /// <exception cref="DataException">The model needs labels that the data lacks.</exception>
    public BatchSource(ImageDataset data, Vae model, bool keepOnDevice = false)
    {
        CheckLabels(data, model);
        (this.data, Model) = (data, model);
        if (keepOnDevice) resident = model.Parameters.Backend.Keep(data.Count, data.Shape.Size, data.Pixels);
    }

    public Vae Model { get; }

    /// <summary>How many images there are.</summary>
    public int Count => data.Count;

    /// <summary>The places of the images, in the order in which an epoch takes them.</summary>
    public int[] Order(Recipe recipe, int epoch) => new RandomStream(recipe.Seed, "shuffle", (ulong)epoch).Permutation(Count);

    /// <summary>The batches of an epoch, which depend on the recipe's seed, the epoch and the batch alone. While one is learned
    /// from, another thread puts the next one together, in the memory of the one before.</summary>
    /// <param name="firstBatch">The batch to begin with, from 0.</param>
    public IEnumerable<Batch> Epoch(Recipe recipe, int epoch, int firstBatch = 0)
    {
        var order = Order(recipe, epoch);
        var batches = recipe.StepsOf(Count);
        Batch? used = null;
        var next = firstBatch < batches ? GatherAsync(firstBatch) : null;
        for (var number = firstBatch; number < batches; number++)
        {
            var batch = next!.GetAwaiter().GetResult(); // on this thread, whose buffers are warm
            if (number + 1 < batches)
                next = GatherAsync(number + 1);
            yield return batch;
            used = batch;
        }

        Task<Batch> GatherAsync(int number)
        {
            var memory = used;
            return Task.Run(() =>
            {
                var start = number * recipe.BatchSize;
                var places = order.AsSpan(start, Math.Min(recipe.BatchSize, Count - start));
                var noise = new RandomStream(recipe.Seed, $"noise of epoch {epoch}", (ulong)number);
                var binarization = recipe.Binarize == BinarizationKind.Dynamic
                    ? new RandomStream(recipe.Seed, $"binarization of epoch {epoch}", (ulong)number)
                    : null;
                var augmenting = recipe.Augmentation is { } augmentation
                    ? new Augmenting(augmentation, new(recipe.Seed, $"augmentation of epoch {epoch}", (ulong)number))
                    : null;
                return Gather(places, noise, recipe.Objective.Samples, binarization, augmenting, memory);
            });
        }
    }

    /// <summary>The images at some places, with the noise of their latents.</summary>
    /// <param name="places">Which images, in which order.</param>
    /// <param name="samples">S, the latents drawn for each image.</param>
    /// <param name="binarization">Draws each pixel anew, black or white, the same on every device; null leaves them as they
    /// are.</param>
    /// <param name="augmenting">Changes each image first, the same on every device; null leaves them as they are.</param>
    /// <param name="used">A batch that nobody needs any more, whose memory may be taken.</param>
    public Batch Gather(
        ReadOnlySpan<int> places, RandomStream noise, int samples = 1, RandomStream? binarization = null,
        Augmenting? augmenting = null, Batch? used = null)
    {
        var kept = binarization is null && augmenting is null ? resident : null;
        var labels = Model.Classes == 0 ? null : new float[places.Length];
        for (var i = 0; i < labels?.Length; i++) labels[i] = data.Labels![places[i]];
        var draws = places.Length * samples;
        return new(places.Length, kept is null
            ? Pixels(places, binarization, augmenting, used)
            : [], new(places.Length, data.Shape.Height, data.Shape.Width, data.Shape.Channels),
            labels, noise.Gaussians(draws * Model.LatentSize), new(draws, Model.LatentSize))
        {
            Resident = kept is null ? null : (kept, places.ToArray()),
        };
    }

    public void Dispose() => resident?.Dispose();

    float[] Pixels(ReadOnlySpan<int> places, RandomStream? binarization, Augmenting? augmenting, Batch? used)
    {
        var size = data.Shape.Size;
        var pixels = used?.Pixels.Length == places.Length * size ? used.Pixels : new float[places.Length * size];
        for (var i = 0; i < places.Length; i++)
        {
            var source = data.Pixels(places[i]);
            var target = pixels.AsSpan(i * size, size);
            if (augmenting is null)
                for (var p = 0; p < size; p++) target[p] = source[p];
            else
                augmenting.How.Apply(source, target, data.Shape, augmenting.Random);
            for (var p = 0; p < size && binarization is not null; p++) target[p] = Binarization.Draw(target[p], binarization);
        }
        return pixels;
    }

    static void CheckLabels(ImageDataset data, Vae model)
    {
        if (model.Classes == 0) return;
        if (data.Labels is null)
            throw new DataException($"The model is conditional on {model.Classes} labels, but the images have none; take "
                + "labelled images, or leave model.classes out of the recipe.");
        if (data.LabelNames.Count > model.Classes)
            throw new DataException($"The images have {data.LabelNames.Count} labels, but the model is conditional on "
                + $"{model.Classes}; set model.classes to {data.LabelNames.Count}.");
    }
}
