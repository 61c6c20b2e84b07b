using System.CommandLine;
using VaeFunctions.Data;
using VaeFunctions.Sessions;
using VaeFunctions.Training;

namespace VaeFunctions.Commands;

/// <summary>What several commands have in common.</summary>
static class CommonOptions
{
    public static Option<string> Store(string name = "--out") => new(name, "--store")
    {
        Description = $"Where models and checkpoints are: a folder, or '{Stores.Blob}' for the storage account of the setting VaeStorage (or VaeStorage__blobServiceUri)",
        DefaultValueFactory = _ => Stores.DefaultFolder,
    };

    public static Option<string?> Data() => new("--data")
    {
        Description = $"Where the images come from: {DataSources.Kinds}",
    };

    public static Option<bool> Resize() => new("--resize") { Description = "Crop and resize images of other sizes to the model's" };

    public static Option<int> Threads() => new("--threads")
    {
        Description = "Threads that compute on a CPU; 0 is one a processor. On cpu results do not depend on it",
        Validators = { result => { if (result.GetValueOrDefault<int>() is < 0 or > 1024) result.AddError("--threads must be from 0 to 1024."); } },
    };

    public static Option<string> Device() => new("--device")
    {
        Description = $"Where to compute: {Devices.Kinds}",
        DefaultValueFactory = _ => Devices.Auto,
    };

    public static Option<bool> Tf32() => new("--tf32") { Description = "Let a GPU round factors to TensorFloat-32: faster, with 10 bits of mantissa. CPUs do not heed it" };

    public static Option<int> Count(string name, int usual, int most, string description) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => usual,
        Validators = { result => { if (result.GetValueOrDefault<int>() is var value && (value < 1 || value > most)) result.AddError($"{name} must be from 1 to {most}."); } },
    };

    public static Option<bool> Force() => new("--force") { Description = "Let the new version serve even if it is worse, which is recorded" };
}
