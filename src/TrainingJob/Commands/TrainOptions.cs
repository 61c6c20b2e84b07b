using System.CommandLine;
using System.CommandLine.Parsing;
using VaeFunctions.Data;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;
using VaeFunctions.Training;

namespace VaeFunctions.Commands;

/// <summary>What <c>train</c> can be told, and the request that this is.</summary>
sealed class TrainOptions
{
    /// <summary>The value of --resume for whoever starts the same command again and again.</summary>
    const string Auto = "auto";

    readonly Argument<string> recipe = new("recipe")
    {
        Description = $"One of {string.Join(", ", RecipeBook.Names)}, or the path of a .json file; "
            + $"'{AutoRecipe.Name}', or none, looks at the images of --data and makes one for them",
        DefaultValueFactory = _ => AutoRecipe.Name,
    };

    readonly Option<string?> data = CommonOptions.Data();

    readonly Option<string> store = CommonOptions.Store();

    readonly Option<string?> model = new("--model")
    {
        Description = "The name to publish under; the recipe's name unless given, "
            + "or that of the images' folder where there is none",
    };

    readonly Option<int?> epochs = new("--epochs")
    {
        Description = "Passes over the training images, in all; the recipe's number unless given",
    };

    readonly Option<double?> minutes = CommonOptions.Checked<double?>("--minutes", null,
        "Train as many epochs as this time is enough for, evaluation and publication included",
        value => value is null or (> 0 and < 1e6), "above 0 and below 1,000,000");

    readonly Option<int?> batchSize = new("--batch-size") { Description = "Images that share a step" };

    readonly Option<float?> learningRate = new("--learning-rate") { Description = "The optimizer's step size" };

    readonly Option<ulong?> seed = new("--seed")
    {
        Description = "What initial weights, shuffling, noise and data splits follow from",
    };

    readonly Option<string> device = CommonOptions.Device();

    readonly Option<int> threads = CommonOptions.Threads();

    readonly Option<bool> tf32 = CommonOptions.Tf32();

    readonly Option<string?> resume = new("--resume")
    {
        Description = $"Go on from a run's checkpoint: the newest, or the one named; '{Auto}' goes on where that is possible "
            + "and starts anew where not",
        Arity = ArgumentArity.ZeroOrOne,
    };

    readonly Option<bool> ifChanged = new("--if-changed")
    {
        Description = "Do nothing if the newest version was trained on the same images with the same recipe",
    };

    readonly Option<bool> force = CommonOptions.Force();

    readonly Option<ImageFit?> fit = CommonOptions.Fit();

    readonly Option<Allowance> maxUnreadable = CommonOptions.MaxUnreadable();

    readonly Option<string?> log = new("--log")
    {
        Description = "tensorboard: write each epoch's figures and pictures also as TensorBoard reads them, "
            + "beside the run's metrics.csv",
    };

    readonly Option<bool> noPublish = new("--no-publish") { Description = "Only train; keep the checkpoint" };

    readonly Option<double> tolerance = CommonOptions.Checked("--tolerance", 0.01,
        "How much worse than the serving version's the test loss may be, as a fraction",
        value => value is >= 0 and < 1e6, "0 or more, and finite");

    readonly Option<double> saveEvery = CommonOptions.Checked("--save-every", 60.0, "Seconds between checkpoints within an epoch",
        value => value is > 0 and < 1e6, "above 0 and below 1,000,000 seconds");

    public TrainOptions()
    {
        log.AcceptOnlyFromAmong("tensorboard");
        model.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } name && !ModelRegistry.IsModelName(name))
                result.AddError($"--model is {name}; a model's name has {ModelRegistry.ModelNameRule}.");
        });
    }

    public void AddTo(Command command)
    {
        command.Arguments.Add(recipe);
        foreach (var option in (Option[])[data, store, model, epochs, minutes, batchSize, learningRate, seed, device, threads,
            tf32, resume, ifChanged, force, fit, maxUnreadable, log, noPublish, tolerance, saveEvery])
            command.Options.Add(option);
        command.Validators.Add(CheckLength);
    }

    /// <summary>The training that is asked for; without a recipe's name, that for the images.</summary>
    public async Task<TrainingRequest> RequestAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var (named, place) = (parsed.GetRequiredValue(recipe), Stores.Open(parsed.GetRequiredValue(store)));
        var request = named == AutoRecipe.Name
            ? await AutoRequest.OfAsync(parsed.GetValue(data), place, Console.WriteLine,
                parsed.GetResult(minutes) is not null ? minutes.Name : parsed.GetResult(epochs) is not null ? epochs.Name : null,
                cancellation)
            : TrainingRequest.Of(named, place);
        var run = parsed.GetValue(resume);
        return request with
        {
            Model = parsed.GetValue(model) ?? request.Model,
            Data = parsed.GetValue(data),
            Epochs = parsed.GetValue(epochs),
            Budget = parsed.GetValue(minutes) is { } budget ? TimeSpan.FromMinutes(budget) : null,
            BatchSize = parsed.GetValue(batchSize),
            LearningRate = parsed.GetValue(learningRate),
            Seed = parsed.GetValue(seed),
            Fit = parsed.GetValue(fit),
            MaxUnreadable = parsed.GetValue(maxUnreadable),
            Device = parsed.GetRequiredValue(device),
            Threads = parsed.GetValue(threads),
            Tf32 = parsed.GetValue(tf32),
            Resume = parsed.GetResult(resume) is null ? Resume.Never : run == Auto ? Resume.WherePossible : Resume.Always,
            Run = run == Auto ? null : run,
            ResumeCommand = (again, elsewhere) => elsewhere is null
                ? $"{Retyped(parsed, resume.Name, minutes.Name)} --resume {again}"
                : $"{Retyped(parsed, resume.Name, minutes.Name, store.Name)} --out {Quoted(elsewhere)} --resume {again}",
            IfChanged = parsed.GetValue(ifChanged),
            TensorBoard = parsed.GetValue(log) is not null,
            Publish = !parsed.GetValue(noPublish),
            Force = parsed.GetValue(force),
            Tolerance = parsed.GetValue(tolerance),
            SaveEvery = TimeSpan.FromSeconds(parsed.GetValue(saveEvery)),
        };
    }

    void CheckLength(CommandResult result)
    {
        if (result.GetResult(minutes) is null) return;
        if (result.GetResult(epochs) is not null)
            result.AddError("--minutes and --epochs both decide how long a training is; give one of them.");
        if (result.GetResult(resume) is not null)
            result.AddError("A run that --resume goes on with is as long as it was to be when it began; leave --minutes out.");
    }

    /// <summary>The command as it was typed, for a shell to read, without some of its options.</summary>
    internal static string Retyped(ParseResult parsed, params string[] without)
    {
        HashSet<Token> left = [.. parsed.CommandResult.Children.OfType<OptionResult>()
            .Where(option => without.Contains(option.Option.Name) && option.IdentifierToken is not null)
            .SelectMany(option => option.Tokens.Append(option.IdentifierToken!))];
        return string.Join(' ', parsed.Tokens.Where(token => !left.Contains(token)).Select(token => Quoted(token.Value))
            .Prepend("./vae"));
    }

    /// <summary>A word that a shell takes as one.</summary>
    static string Quoted(string word) =>
        word.Length > 0
        && word.All(letter => char.IsLetterOrDigit(letter) || "-_./:=,+@%".Contains(letter, StringComparison.Ordinal))
            ? word
            : $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
