using VaeFunctions.Data;
using VaeFunctions.Registry;
using VaeFunctions.Training;

namespace VaeFunctions.Sessions;

/// <summary>What a training needs that is started again and again with the same command, by a schedule or by a platform that
/// evicts.</summary>
static class Unattended
{
    /// <summary>The newest version that can be read, if it was trained on these images with this recipe.</summary>
    /// <remarks>Whether the gate let it serve does not matter: the same training would be judged the same, and a version that was
    /// rolled back must not come back by itself.</remarks>
    public static async Task<Manifest?> TrainedAlreadyAsync(
        ModelRegistry registry, string name, Recipe recipe, DataSplit data, Action<string> log, CancellationToken cancellation)
    {
        foreach (var version in await registry.ListVersionsAsync(name, cancellation))
        {
            try
            {
                var manifest = await registry.ReadManifestAsync(name, version, cancellation);
                var before = Recipe.Parse(manifest.Recipe.GetRawText(), $"of {name} {version}");
                return manifest.Data.Fingerprint == data.Fingerprint && before.Epochs == recipe.Epochs && before.StepsLike(recipe)
                    ? manifest
                    : null;
            }
            catch (Exception e) when (e is RegistryException or RecipeException)
            {
                log($"{e.Message} The version before {version} is looked at instead.");
            }
        }
        return null;
    }

    /// <summary>The newest run that can be read, if it is of this recipe and these images and has not ended in a version
    /// yet.</summary>
    public static async Task<(string Run, Checkpoint Checkpoint)?> UnpublishedRunAsync(
        ModelRegistry registry, string name, Recipe recipe, DataSplit data, Action<string> log, CancellationToken cancellation)
    {
        foreach (var run in await Checkpoint.ListRunsAsync(registry.Store, name, cancellation))
        {
            try
            {
                var checkpoint = await Checkpoint.ReadAsync(registry.Store, name, run, cancellation);
                return checkpoint.Recipe.StepsLike(recipe)
                    && checkpoint.DataFingerprint == data.Fingerprint
                    && checkpoint.State.Epoch <= recipe.Epochs
                    && !(recipe.IsDone(checkpoint.State.History) && await IsPublishedAsync(run))
                    ? (run, checkpoint)
                    : null;
            }
            catch (CheckpointException e)
            {
                log($"{e.Message} The run before {run} is looked at instead.");
            }
        }
        return null;

        // Both are named by the time, a run by its start and a version by its publication.
        async Task<bool> IsPublishedAsync(string run) => await registry.ListVersionsAsync(name, cancellation) is [var newest, ..]
            && string.CompareOrdinal(newest, run) >= 0;
    }
}
