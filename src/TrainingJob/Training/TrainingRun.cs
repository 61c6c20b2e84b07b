using VaeFunctions.Data;
using VaeFunctions.Imaging;
using VaeFunctions.Models;
using VaeFunctions.Registry;
using VaeFunctions.Report;

namespace VaeFunctions.Training;

/// <summary>One run with its place in the store: checkpoints, metrics and pictures go to <c>checkpoints/{model}/{run}/</c> as it trains.</summary>
public sealed class TrainingRun(IBlobStore store, string run, string modelName, Recipe recipe, DataSplit data, Vae model, Optimizer optimizer, TrainingLog log)
    : ITrainingEvents
{
    public void Stepped(int epoch, int batch, int batches, double loss, double imagesPerSecond) =>
        log.Stepped(epoch, recipe.Epochs, batch, batches, loss, imagesPerSecond);

    public Task SaveAsync(TrainingState state) =>
        Checkpoint.SaveAsync(store, run, modelName, recipe, data.Source, data.Fingerprint, model, optimizer, state);

    public async Task EpochEndedAsync(TrainingState state)
    {
        await SaveAsync(state);
        await store.WriteAsync(Checkpoint.PathOf(modelName, run, "metrics.csv"), new(EpochMetrics.ToCsv(state.History)));
        if (state.Epoch % recipe.PicturesEvery == 0 || state.Epoch == recipe.Epochs)
        {
            await WritePictureAsync($"samples-{state.Epoch:000}.png", Pictures.Samples(model));
            await WritePictureAsync($"reconstructions-{state.Epoch:000}.png", Pictures.Reconstructions(model, data.Test));
        }
        log.EpochEnded(state.History[^1], recipe.Epochs);
    }

    Task<string> WritePictureAsync(string file, Image picture) =>
        store.WriteAsync(Checkpoint.PathOf(modelName, run, file), new(ImageCodec.EncodePng(picture)));
}
