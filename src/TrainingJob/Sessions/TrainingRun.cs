using VaeFunctions.Data;
using VaeFunctions.Evaluation;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;
using VaeFunctions.Training;

namespace VaeFunctions.Sessions;

/// <summary>One run with its place in the store: checkpoints, metrics and pictures go to <c>checkpoints/{model}/{run}/</c> as it
/// trains.</summary>
public sealed class TrainingRun(
    IBlobStore store, string run, string modelName, Recipe recipe, DataSplit data, Learner learner, TrainingLog log)
    : ITrainingEvents
{
    bool inRefuge;

    /// <summary>Where to write what the store does not take; null ends the training instead.</summary>
    public IBlobStore? Refuge { get; set; }

    /// <summary>Whether each epoch is also written as TensorBoard reads it.</summary>
    public bool TensorBoard { get; init; }

    public string Name => run;

    /// <summary>Where the last checkpoint is.</summary>
    public IBlobStore SavedIn => inRefuge ? Refuge! : store;

    public void Stepped(int epoch, int batch, int batches, double loss, double imagesPerSecond) =>
        log.Stepped(epoch, recipe.Epochs, batch, batches, loss, imagesPerSecond);

    /// <summary>Writes the first checkpoint.</summary>
    /// <exception cref="BlobConflictException">Another run has this name.</exception>
    public Task BeginAsync() => SaveAsync(store, TrainingState.Start, WriteCondition.IfAbsent);

    public Task SaveAsync(TrainingState state) => KeepAsync(place => SaveAsync(place, state));

    public async Task EpochEndedAsync(TrainingState state)
    {
        await KeepAsync(async place =>
        {
            await SaveAsync(place, state);
            await place.WriteAsync(Checkpoint.PathOf(modelName, run, MetricsFile.Name), new(MetricsFile.Write(state.History)));
            var pictures = state.Epoch % recipe.PicturesEvery == 0 || recipe.IsDone(state.History) ? Draw() : [];
            foreach (var (picture, image) in pictures) await WritePictureAsync(place, $"{picture}-{state.Epoch:000}.png", image);
            if (TensorBoard)
                await place.WriteAsync(Checkpoint.PathOf(modelName, run, TensorBoardFile.NameOf(state.Epoch)),
                    new(TensorBoardFile.Write(state.History[^1], DateTimeOffset.UtcNow, pictures)));
        });
        log.EpochEnded(state.History[^1], recipe.Epochs);
    }

    List<(string Name, Image Image)> Draw()
    {
        using var average = learner.UseAverage();
        List<(string, Image)> pictures = [("reconstructions", ModelPictures.Reconstructions(learner.Model, data.Test))];
        if (ModelPictures.Samples(learner.Model) is { } samples) pictures.Add(("samples", samples));
        return pictures;
    }

    async Task KeepAsync(Func<IBlobStore, Task> write)
    {
        try
        {
            await write(store);
            if (inRefuge) log.Line($"The storage takes checkpoints again: {store.Location}");
            inRefuge = false;
        }
        catch (StorageException e) when (Refuge is not null)
        {
            if (!inRefuge)
                log.Line($"{e.Message} The training goes on, and its checkpoints are kept in {Refuge.Location} meanwhile.");
            await write(Refuge);
            inRefuge = true;
        }
    }

    Task SaveAsync(IBlobStore place, TrainingState state, WriteCondition condition = default) =>
        Checkpoint.SaveAsync(place, run, modelName, recipe, data.Source, data.Fingerprint, learner, state, condition);

    Task<string> WritePictureAsync(IBlobStore place, string file, Image picture) =>
        place.WriteAsync(Checkpoint.PathOf(modelName, run, file), new(ImageCodec.EncodePng(picture)));
}
