using VaeFunctions.Data;
using VaeFunctions.Registry;
using VaeFunctions.Training;

namespace VaeFunctions.Sessions;

/// <summary>What a training needs that is started again and again with the same command, by a schedule or by a platform that
/// evicts.</summary>
static class Unattended
{
    /// <summary>The newest version, if it was trained on these images with this recipe.</summary>
    /// <remarks>Whether the gate let it serve does not matter: the same training would be judged the same, and a version that was
    /// rolled back must not come back by itself.</remarks>
    public static async Task<Manifest?> TrainedAlreadyAsync(
        ModelRegistry registry, string name, Recipe recipe, DataSplit data, CancellationToken cancellation)
    {
        if (await registry.ListVersionsAsync(name, cancellation) is not [var newest, ..]) return null;
        var manifest = await registry.ReadManifestAsync(name, newest, cancellation);
        if (manifest.Data.Fingerprint != data.Fingerprint) return null;
        var before = Recipe.Parse(manifest.Recipe.GetRawText(), $"of {name} {newest}");
        return before.Epochs == recipe.Epochs && before.StepsLike(recipe) ? manifest : null;
    }

    /// <summary>The newest run, if it is of this recipe and these images and has not ended in a version yet.</summary>
    public static async Task<(string Run, Checkpoint Checkpoint)?> UnpublishedRunAsync(
        ModelRegistry registry, string name, Recipe recipe, DataSplit data, CancellationToken cancellation)
    {
        if (await Checkpoint.NewestRunAsync(registry.Store, name, cancellation) is not { } run) return null;
        var checkpoint = await Checkpoint.ReadAsync(registry.Store, name, run, cancellation);
        if (!checkpoint.Recipe.StepsLike(recipe)
            || checkpoint.DataFingerprint != data.Fingerprint
            || checkpoint.State.Epoch > recipe.Epochs)
            return null;
        var versions = await registry.ListVersionsAsync(name, cancellation);
        // Both are named by the time, a run by its start and a version by its publication.
        var published = versions is [var newest, ..] && string.CompareOrdinal(newest, run) >= 0;
        return !recipe.IsDone(checkpoint.State.History) || !published ? (run, checkpoint) : null;
    }
}
