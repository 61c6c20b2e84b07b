using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using VaeFunctions.Data;
using VaeFunctions.Imaging;
using VaeFunctions.Models;

namespace VaeFunctions.Training;

/// <summary>Everything that decides a training but the images: model, data, optimizer, length. It is kept in the checkpoint and
/// the manifest.</summary>
public sealed record Recipe
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        NumberHandling = JsonNumberHandling.Strict,
        RespectNullableAnnotations = true,
        AllowOutOfOrderMetadataProperties = true,
        ReadCommentHandling = JsonCommentHandling.Skip,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public string Description { get; init; } = "";

    public required ModelOptions Model { get; init; }

    /// <summary>Where the images come from unless the command line says otherwise.</summary>
    public string? Data { get; init; }

    /// <summary>How images of another size come to the model's.</summary>
    public ImageFit Fit { get; init; }

    /// <summary>What <see cref="Fit"/> was called in recipes, manifests and checkpoints before; read and never written.</summary>
    public bool? Resize
    {
        get => null;
        init => Fit = value is true ? ImageFit.Crop : Fit;
    }

    /// <summary>Images that share a step, at least 1.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Passes over the training images, at least 1.</summary>
    public int Epochs { get; init; } = 10;

    public OptimizerRecipe Optimizer { get; init; } = new AdamRecipe();

    public Objective Objective { get; init; } = new();

    /// <summary>An adversary for the decoder in the last epochs; null for none.</summary>
    public AdversaryRecipe? Adversary { get; init; }

    /// <summary>Whether images become black and white, as the published likelihoods of MNIST ask for.</summary>
    public BinarizationKind Binarize { get; init; }

    /// <summary>How training images are changed whenever they are taken; null leaves them.</summary>
    public Augmentation? Augmentation { get; init; }

    /// <summary>Whether an epoch takes other pixels than the one before.</summary>
    [JsonIgnore]
    public bool ChangesPixels => Binarize == BinarizationKind.Dynamic || Augmentation is not null;

    /// <summary>The length to which longer gradients are cut, all of a step together; null leaves them. (Pascanu, Mikolov and
    /// Bengio 2013, §3.2)</summary>
    public float? ClipNorm { get; init; }

    /// <summary>Steps in all that may be skipped because their loss or gradient is no finite number; one more ends the
    /// training.</summary>
    public int MaxSkippedSteps { get; init; } = 10;

    /// <summary>Epochs without a better test loss after which training ends; the best weights are published. Null trains to the
    /// end and publishes the last.</summary>
    public int? Patience { get; init; }

    /// <summary>The decay of the moving average of the weights, which is evaluated and published in their place; null for
    /// none.</summary>
    public float? Averaging { get; init; }

    /// <summary>What initial weights, shuffling and noise follow from.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Pictures of samples and reconstructions are made after every so many epochs, and after the last.</summary>
    public int PicturesEvery { get; init; } = 5;

    /// <summary>Reads and checks a recipe.</summary>
    /// <exception cref="RecipeException">It is no JSON, has an unknown key, or a number is out of range.</exception>
    public static Recipe Parse(string json, string name)
    {
        try
        {
            var recipe = JsonSerializer.Deserialize<Recipe>(json, Json) ?? throw new RecipeException($"Recipe {name} is empty.");
            recipe.Check(name);
            return recipe;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw new RecipeException($"Recipe {name}: {RecipeKeys.Explain(e.Message)} See the recipes folder for complete "
                + "examples.", e);
        }
    }

    /// <summary>Whether an epoch's test loss is the least so far.</summary>
    public static bool IsBest(IReadOnlyList<EpochMetrics> history) =>
        history.All(past => history[^1].Test.Loss <= past.Test.Loss);

    /// <summary>Whether the last epoch is done, or none of late was any better.</summary>
    public bool IsDone(IReadOnlyList<EpochMetrics> history) =>
        history.Count >= Epochs || (Patience is { } patience && history.Count > patience
            && history.TakeLast(patience).Min(metrics => metrics.Test.Loss) >= history.SkipLast(patience)
                .Min(metrics => metrics.Test.Loss));

    /// <summary>The epoch whose weights are published: the best where the recipe stops early, else the last.</summary>
    public EpochMetrics Published(IReadOnlyList<EpochMetrics> history) =>
        Patience is null ? history[^1] : history.Reverse().MinBy(metrics => metrics.Test.Loss)!;

    /// <summary>How many steps an epoch of so many images has.</summary>
    public int StepsOf(int images) => (images + BatchSize - 1) / BatchSize;

    /// <summary>The epoch from which on the decoder has an adversary, from 0; null where it never has.</summary>
    [JsonIgnore]
    public int? AdversarialFrom => Adversary?.FirstEpoch(Epochs) is { } first && first < Epochs ? first : null;

    /// <summary>Where another recipe takes other steps on the same images, key by key: <c>batchSize is 8, not 64</c>. Only
    /// length, description and pictures may differ, and not the length either where the learning rate's schedule or
    /// an adversary spans it.</summary>
    public IEnumerable<string> DifferencesFrom(Recipe other) => Differences((this with
    {
        Epochs = Optimizer.Schedule is CosineRate || Adversary is not null ? Epochs : other.Epochs,
        Description = other.Description,
        PicturesEvery = other.PicturesEvery,
    }).ToJsonElement(), other.ToJsonElement(), "");

    /// <summary>Whether both take the same steps on the same images.</summary>
    public bool StepsLike(Recipe other) => !DifferencesFrom(other).Any();

    static IEnumerable<string> Differences(JsonElement? here, JsonElement? there, string key)
    {
        if (here is { ValueKind: JsonValueKind.Object } left && there is { ValueKind: JsonValueKind.Object } right)
        {
            return left.EnumerateObject().Concat(right.EnumerateObject()).Select(property => property.Name).Distinct()
                .SelectMany(name => Differences(Value(left, name), Value(right, name), key == "" ? name : $"{key}.{name}"));
        }
        return here?.GetRawText() == there?.GetRawText()
            ? []
            : [$"{key} is {here?.GetRawText() ?? "absent"}, not {there?.GetRawText() ?? "absent"}"];

        static JsonElement? Value(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value : null;
    }

    /// <summary>What the test loss measures, in words, such as <c>squared error + KL, summed per image</c>. Losses of different
    /// names are not compared.</summary>
    [JsonIgnore]
    public string LossName
    {
        get
        {
            var weight = Objective.Kl.Weight == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $"{Objective.Kl.Weight} ");
            var draws = Objective.Samples > 1 ? $", the bound of {Objective.Samples} draws" : "";
            var images = Binarize == BinarizationKind.None ? "image" : "binarised image";
            var distance = Objective.Perceptual > 0
                ? string.Create(CultureInfo.InvariantCulture, $" + {Objective.Perceptual} perceptual distance")
                : "";
            return $"{Model.Likelihood.Measure} + {weight}KL{distance}{draws}, "
                + (Objective.PerPixel ? "the former a mean over pixels" : $"summed per {images}")
                + (AdversarialFrom is null ? "" : string.Create(CultureInfo.InvariantCulture,
                    $", after {Adversary!.From:P0} with an adversary of weight {Adversary.Weight}"));
        }
    }

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    public JsonElement ToJsonElement() => JsonSerializer.SerializeToElement(this, Json);

    /// <exception cref="RecipeException">A number is out of range.</exception>
    public void Check(string name)
    {
        Range(BatchSize, 1, 65536, "batchSize");
        Range(Epochs, 1, 1_000_000, "epochs");
        Range(PicturesEvery, 1, 1_000_000, "picturesEvery");
        if (ClipNorm is { } norm && !(norm > 0 && float.IsFinite(norm)))
            throw new RecipeException($"Recipe {name}: clipNorm is {norm}; it must be above 0.");
        Range(MaxSkippedSteps, 0, 1_000_000, "maxSkippedSteps");
        if (Patience is { } patience) Range(patience, 1, 1_000_000, "patience");
        if (Averaging is { } decay && decay is not (> 0 and < 1))
            throw new RecipeException($"Recipe {name}: averaging is {decay}; it must be above 0 and below 1, such as 0.999.");
        Augmentation?.Check(name, Model.Image);
        Optimizer.Check(name);
        Objective.Check(name);
        Adversary?.Check(name, this);

        void Range(int value, int low, int high, string key)
        {
            if (value < low || value > high)
                throw new RecipeException($"Recipe {name}: {key} is {value}; it must be from {low} to {high}.");
        }
    }
}

/// <summary>A recipe that cannot be used; the message says why.</summary>
public sealed class RecipeException(string message, Exception? inner = null) : ExplainedException(message, inner);
