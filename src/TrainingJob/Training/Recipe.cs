using System.Text.Json;
using System.Text.Json.Serialization;
using VaeFunctions.Models;

namespace VaeFunctions.Training;

/// <summary>Everything that decides a training but the images: model, data, optimizer, length. It is kept in the checkpoint and the manifest.</summary>
public sealed record Recipe
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        AllowOutOfOrderMetadataProperties = true,
        ReadCommentHandling = JsonCommentHandling.Skip,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public string Description { get; init; } = "";

    public required ModelOptions Model { get; init; }

    /// <summary>Where the images come from unless the command line says otherwise.</summary>
    public string? Data { get; init; }

    /// <summary>Whether images of another size are centre-cropped and resized to the model's; otherwise they are an error.</summary>
    public bool Resize { get; init; }

    /// <summary>Images that share a step, at least 1.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Passes over the training images, at least 1.</summary>
    public int Epochs { get; init; } = 10;

    public OptimizerRecipe Optimizer { get; init; } = new AdamRecipe();

    /// <summary>The weight of the KL term in what is minimised, 1 for the evidence lower bound. (Higgins et al. 2017)</summary>
    public float Beta { get; init; } = 1;

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
            throw new RecipeException($"Recipe {name}: {e.Message} See the recipes folder for complete examples.", e);
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
        if (!(Optimizer.LearningRate > 0 && float.IsFinite(Optimizer.LearningRate)))
            throw new RecipeException($"Recipe {name}: optimizer.learningRate is {Optimizer.LearningRate}; it must be above 0.");
        if (!(Beta >= 0 && float.IsFinite(Beta))) throw new RecipeException($"Recipe {name}: beta is {Beta}; it must be 0 or more.");

        void Range(int value, int low, int high, string key)
        {
            if (value < low || value > high) throw new RecipeException($"Recipe {name}: {key} is {value}; it must be from {low} to {high}.");
        }
    }
}

/// <summary>A recipe that cannot be used; the message says why.</summary>
public sealed class RecipeException(string message, Exception? inner = null) : Exception(message, inner);
