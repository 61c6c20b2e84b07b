using System.CommandLine;
using System.CommandLine.Parsing;
using VaeFunctions.Data;
using VaeFunctions.Imaging;
using VaeFunctions.Sessions;
using VaeFunctions.Training;

namespace VaeFunctions.Commands;

/// <summary>What several commands have in common.</summary>
public static class CommonOptions
{
    const string StoreKinds = "Where models and checkpoints are: a folder, or '" + Stores.Blob + "' for the storage account of "
        + "the setting VaeStorage (or VaeStorage__blobServiceUri)";

    internal static Option<string> Store(string name = "--out") => new(name, "--store")
    {
        Description = StoreKinds,
        DefaultValueFactory = _ => Stores.DefaultFolder,
    };

    /// <summary>The store of commands about the models that serve. Which is meant where none is named depends on what runs, so
    /// that it has no default to show.</summary>
    internal static Option<string?> ServedStore() => new("--out", "--store")
    {
        Description = $"{StoreKinds}; unless given, the storage of a running ./vae serve, and ./{Stores.DefaultFolder} where "
            + "none runs",
    };

    internal static Option<string?> Data() => new("--data")
    {
        Description = $"Where the images come from: {DataSources.Kinds}",
    };

    internal static Option<ImageFit?> Fit()
    {
        var option = new Option<ImageFit?>("--fit")
        {
            Description = "How images of other sizes come to the model's: crop the middle and scale, pad with black, stretch, or "
                + "strict, which refuses them; as the recipe says unless given, and that is crop",
        };
        option.AcceptOnlyFromAmong([.. Enum.GetNames<ImageFit>().Select(name => name.ToLowerInvariant())]);
        return option;
    }

    internal static Option<Allowance> MaxUnreadable() => new("--max-unreadable")
    {
        Description = "Images that may be left out because they cannot be read: a number, or a part such as 1%; "
            + "20 or 1%, whichever is more, unless given",
        DefaultValueFactory = _ => Allowance.Usual,
        CustomParser = result =>
        {
            if (Allowance.TryParse(result.Tokens[0].Value) is { } allowance) return allowance;
            result.AddError($"--max-unreadable is {result.Tokens[0].Value}; "
                + "give a number of images, such as 20, or a part, such as 1%.");
            return default;
        },
    };

    internal static Option<int> Threads() =>
        Whole("--threads", 0, 0, 1024, "Threads that compute on a CPU; 0 is one a processor. On cpu results do not depend on it");

    internal static Option<string> Device() => new("--device")
    {
        Description = $"Where to compute: {Devices.Kinds}",
        DefaultValueFactory = _ => Devices.Auto,
    };

    internal static Option<bool> Tf32() => new("--tf32")
    {
        Description = "Let a GPU round factors to TensorFloat-32: faster, with 10 bits of mantissa. CPUs do not heed it",
    };

    /// <summary>A number of things, 1 or more.</summary>
    public static Option<int> Count(string name, int usual, int most, string description) =>
        Whole(name, usual, 1, most, description);

    static Option<int> Whole(string name, int usual, int least, int most, string description) =>
        Checked(name, usual, description, value => value >= least && value <= most, $"from {least} to {most}");

    /// <summary>A value that is refused where it is not what it must be.</summary>
    /// <param name="usual">What it is unless given; null where it then is not there.</param>
    /// <param name="must">What it must be, in words.</param>
    public static Option<T> Checked<T>(string name, T usual, string description, Func<T, bool> holds, string must)
    {
        var option = new Option<T>(name) { Description = description };
        if (usual is not null) option.DefaultValueFactory = _ => usual;
        option.Validators.Add(result =>
        {
            if (TryGet<T>(result, out var value) && !holds(value!))
                result.AddError($"{name} must be {must}.");
        });
        return option;
    }

    /// <summary>The value of an option; false where it cannot be read, of which the parser tells.</summary>
    internal static bool TryGet<T>(OptionResult result, out T? value)
    {
        try
        {
            value = result.GetValueOrDefault<T>();
            return true;
        }
        catch (InvalidOperationException)
        {
            value = default;
            return false;
        }
    }

    internal static Option<bool> Force() =>
        new("--force") { Description = "Let the new version serve even if it is worse, which is recorded" };
}
