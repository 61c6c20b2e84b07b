using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using VaeFunctions.Registry;
using VaeFunctions.Training;

namespace VaeFunctions.Sweeps;

/// <summary>One recipe of a sweep, and what it says otherwise than the recipe the sweep began with.</summary>
public sealed record Trial(int Number, string Overrides, Recipe Recipe);

/// <summary>Trainings that differ in a few settings and are compared by their test loss, as the promotion gate compares
/// versions.</summary>
/// <remarks>A sweep is what its trials and images are: the same command finds its own results again and goes on.</remarks>
public sealed record Sweep
{
    /// <summary>More are refused.</summary>
    public const int MaxTrials = 1000;

    /// <summary>The name that the best is published under.</summary>
    public required string Model { get; init; }

    /// <summary>Where the images are, as <c>--data</c> says it.</summary>
    public required string Data { get; init; }

    /// <summary>In the order of their numbers, which begin at 1.</summary>
    public required IReadOnlyList<Trial> Trials { get; init; }

    /// <summary>Eight letters that follow from images and recipes. All of them are written down for it: ask once.</summary>
    public string Id
    {
        get
        {
            var text = string.Join('\n', [Data, .. Trials.Select(trial => trial.Recipe.ToJson())]);
            return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..8];
        }
    }

    /// <summary>The name that the sweep's state has beside the model's runs; a trial's is that with its number.</summary>
    public string Name => $"{Model}.sweep-{Id}";

    /// <summary>The name that a trial's runs are kept under.</summary>
    public string NameOf(Trial trial) => $"{Name}.{trial.Number:000}";

    /// <summary>Every combination of the settings' values, or, of a list of overrides, each of them with every
    /// combination.</summary>
    /// <param name="settings">Such as <c>optimizer.learningRate=1e-3,3e-4</c>; a value with commas of its own is JSON:
    /// <c>model.hidden=[400],[400,200]</c>.</param>
    /// <param name="list">A JSON array of objects such as <c>{"model.latent": 8, "epochs": 5}</c>; null for none.</param>
    /// <exception cref="RecipeException">A setting cannot be read, an override makes no valid recipe, two trials are the same, or
    /// they cannot be compared.</exception>
    public static Sweep Of(
        string model, string data, string recipeName, Recipe recipe, IReadOnlyList<string> settings, string? list = null)
    {
        List<(string Key, JsonNode? Value)[]> combinations = list is null ? [[]] : List(list);
        foreach (var (key, values) in settings.Select(Setting))
        {
            if (combinations.Count * values.Length > MaxTrials)
                throw new RecipeException($"The sweep has more than {MaxTrials} trials; give fewer values, or several sweeps.");
            combinations = [.. combinations.SelectMany(_ => values,
                (combination, value) => ((string, JsonNode?)[])[.. combination, (key, value)])];
        }
        var trials = combinations.Select((overrides, i) => Create(i + 1, recipeName, recipe, overrides)).ToList();
        if (trials.Count < 2)
            throw new RecipeException("A sweep compares trainings, and this is one: give --set a key with several values, such "
                + "as --set model.latent=8,16.");
        if (trials.GroupBy(trial => trial.Recipe.ToJson()).FirstOrDefault(same => same.Count() > 1) is { } twins)
            throw new RecipeException($"These trials are the same training: "
                + $"{string.Join(" and ", twins.Select(twin => twin.Overrides))}. Leave out all but one.");
        if (trials.Select(trial => trial.Recipe.LossName).Distinct().ToList() is { Count: > 1 } losses)
            throw new RecipeException($"The trials cannot be compared: their losses measure different things, "
                + $"{string.Join("; ", losses)}. Sweep each of these by itself.");
        var sweep = new Sweep { Model = model, Data = data, Trials = trials };
        if (!ModelRegistry.IsModelName(model) || !ModelRegistry.IsModelName(sweep.NameOf(trials[^1])))
            throw new RecipeException($"'{model}' cannot name a sweep: use 1 to 44 lower-case letters, digits, '-', '.' and '_', "
                + "beginning with a letter or digit (--model).");
        return sweep;
    }

    static Trial Create(int number, string recipeName, Recipe recipe, (string Key, JsonNode? Value)[] overrides)
    {
        var json = JsonNode.Parse(recipe.ToJson())!.AsObject();
        foreach (var (key, value) in overrides) Put(json, key, value);
        var text = string.Join(" ", overrides.Select(pair => $"{pair.Key}={pair.Value?.ToJsonString() ?? "null"}"));
        return new(number, text, Recipe.Parse(json.ToJsonString(), $"{recipeName} with {text}"));
    }

    static void Put(JsonObject json, string key, JsonNode? value)
    {
        var path = key.Split('.');
        foreach (var part in path[..^1])
        {
            if (json[part] is not JsonObject inner)
                json[part] = json[part] is null
                    ? inner = []
                    : throw new RecipeException($"--set {key}: \"{part}\" is {json[part]!.ToJsonString()}, which has no keys.");
            json = inner;
        }
        json[path[^1]] = value?.DeepClone();
    }

    static (string Key, JsonNode?[] Values) Setting(string setting)
    {
        var (key, values) = setting.Split('=', 2) is [var left, var right] ? (left.Trim(), Split(right)) : ("", []);
        if (!IsKey(key) || values.Any(string.IsNullOrWhiteSpace))
            throw new RecipeException($"--set {setting} is not understood; write KEY=VALUE,VALUE with the keys of a recipe, such "
                + "as optimizer.learningRate=1e-3,3e-4.");
        return (key, [.. values.Select(Value)]);
    }

    static bool IsKey(string key) => key.Split('.').All(part => part.Length > 0 && part.All(char.IsAsciiLetterOrDigit));

    /// <summary>Parts between commas that lie in no brackets.</summary>
    static string[] Split(string values)
    {
        var depth = 0;
        var marked = string.Concat(values.Select(letter =>
        {
            depth += letter is '[' or '{' ? 1 : letter is ']' or '}' ? -1 : 0;
            return letter == ',' && depth == 0 ? '\n' : letter;
        }));
        return marked.Split('\n');
    }

    /// <summary>JSON, or else a word.</summary>
    static JsonNode? Value(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return text.Trim();
        }
    }

    static List<(string, JsonNode?)[]> List(string list)
    {
        try
        {
            List<(string, JsonNode?)[]> trials =
                [.. JsonNode.Parse(list)!.AsArray()
                .Select(item => item!.AsObject().Select(pair => (pair.Key, pair.Value)).ToArray())];
            if (trials.Count is 0 or > MaxTrials)
                throw new RecipeException($"The list of trials has {trials.Count}; it must have 1 to {MaxTrials}.");
            if (trials.SelectMany(trial => trial).Select(pair => pair.Item1).FirstOrDefault(key => !IsKey(key)) is { } key)
                throw new RecipeException($"The list of trials: \"{key}\" is no key of a recipe; write keys such as "
                    + "optimizer.learningRate.");
            return trials;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException or ArgumentException)
        {
            const string example = """[{"model.latent": 8}, {"model.latent": 16}]""";
            throw new RecipeException(
                $"The list of trials is not understood; it is a JSON array of objects, such as {example}. {e.Message}", e);
        }
    }
}
