using VaeFunctions.Data;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;
using VaeFunctions.Training;

namespace VaeFunctions.Sessions;

/// <summary>Whether a training goes on with an earlier run.</summary>
public enum Resume
{
    /// <summary>It starts anew.</summary>
    Never,

    /// <summary>It goes on with the run that is named, or the newest; without one it is refused.</summary>
    Always,

    /// <summary>It goes on with its own run that is not published yet, and starts anew where there is none.</summary>
    WherePossible,
}

/// <summary>A training to be done: what, on which images, where, and what becomes of it.</summary>
/// <param name="RecipeName">What messages call the recipe.</param>
/// <param name="Store">Where models and checkpoints are kept.</param>
public sealed record TrainingRequest(string RecipeName, Recipe Recipe, IBlobStore Store)
{
    /// <summary>The name to publish under.</summary>
    public string Model { get; init; } = RecipeName;

    /// <summary>Where the images come from; the checkpoint's or the recipe's place unless given.</summary>
    public string? Data { get; init; }

    /// <summary>The storage of <c>blob:</c> images; the settings' unless given.</summary>
    public IBlobStore? DataStore { get; init; }

    /// <summary>Passes over the training images, in all; the recipe's number unless given.</summary>
    public int? Epochs { get; init; }

    /// <summary>How long it may take, evaluation and publication included; then as many epochs are trained as that leaves time
    /// for. <see cref="Epochs"/> decides unless given.</summary>
    public TimeSpan? Budget { get; init; }

    /// <summary>Whether the recipe is written beside the run's checkpoints, as one that was made for these images is.</summary>
    public bool KeepRecipe { get; init; }

    /// <summary>Whether each epoch is also written as TensorBoard reads it.</summary>
    public bool TensorBoard { get; init; }

    /// <summary>Images that share a step; the recipe's number unless given.</summary>
    public int? BatchSize { get; init; }

    /// <summary>The optimizer's step size; the recipe's unless given.</summary>
    public float? LearningRate { get; init; }

    /// <summary>What initial weights, shuffling, noise and data splits follow from; the recipe's unless given.</summary>
    public ulong? Seed { get; init; }

    /// <summary>How images of other sizes come to the model's; as the recipe says unless given.</summary>
    public ImageFit? Fit { get; init; }

    /// <summary>How many images may be left out that cannot be read.</summary>
    public Allowance MaxUnreadable { get; init; } = Allowance.Usual;

    /// <summary>Where to compute: one of <see cref="Devices.Kinds"/>.</summary>
    public string Device { get; init; } = Devices.Auto;

    /// <summary>Threads that compute on a CPU; 0 is one a processor.</summary>
    public int Threads { get; init; }

    /// <summary>Whether a GPU may round factors to TensorFloat-32.</summary>
    public bool Tf32 { get; init; }

    /// <summary>Whether it goes on with an earlier run.</summary>
    public Resume Resume { get; init; }

    /// <summary>The run that <see cref="Resume.Always"/> goes on with; the newest unless given.</summary>
    public string? Run { get; init; }

    /// <summary>Gives the command that goes on with a run, for messages, from the run and the folder that it is kept in where
    /// that is not <see cref="Store"/>; null where no command asked for this.</summary>
    public Func<string, string?, string>? ResumeCommand { get; init; }

    /// <summary>Whether nothing is done where the newest version was trained on the same images with the same recipe.</summary>
    public bool IfChanged { get; init; }

    /// <summary>Whether the result is published; otherwise the checkpoint is all that is kept.</summary>
    public bool Publish { get; init; } = true;

    /// <summary>Whether the version serves even if it is worse than the serving one.</summary>
    public bool Force { get; init; }

    /// <summary>How much worse than the serving version's the test loss may be, as a fraction.</summary>
    public double Tolerance { get; init; } = new PromotionGate().Tolerance;

    /// <summary>How much work a crash may cost.</summary>
    public TimeSpan SaveEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Told how it goes.</summary>
    public TrainingLog Log { get; init; } = TrainingLog.Silent;

    /// <summary>The training of a recipe by its name, or of a recipe file by its path.</summary>
    /// <exception cref="RecipeException">There is no such recipe, or it is not valid.</exception>
    public static TrainingRequest Of(string nameOrPath, IBlobStore store)
    {
        var (name, recipe) = RecipeBook.Load(nameOrPath);
        return new(name, recipe, store);
    }
}
