using System.Reflection;
using System.Runtime.InteropServices;
using VaeFunctions.Data;
using VaeFunctions.Evaluation;
using VaeFunctions.Imaging;
using VaeFunctions.Latent;
using VaeFunctions.Models;
using VaeFunctions.Priors;
using VaeFunctions.Registry;
using VaeFunctions.Tensors;
using VaeFunctions.Training;

namespace VaeFunctions.Sessions;

/// <summary>A version that was copied from one registry to another.</summary>
/// <param name="Manifest">As it was published at first.</param>
/// <param name="Promotion">Whether it serves where it was copied to, and why.</param>
public sealed record CopiedVersion(Manifest Manifest, Promotion Promotion);

/// <summary>What it takes to measure the serving version on a candidate's test images.</summary>
/// <param name="Seed">The candidate's, whose noise is drawn for both.</param>
/// <param name="Backend">Where to compute.</param>
public sealed record Measuring(ImageDataset Test, ulong Seed, ITrainingBackend Backend);

/// <summary>Turns a trained model into an immutable version of the registry and lets it serve if the gate agrees.</summary>
public sealed class Publisher(ModelRegistry registry, PromotionGate gate)
{
    /// <summary>How much is measured of a model when it is published.</summary>
    public EvaluationOptions Effort { get; init; } = new();

    /// <summary>Writes graphs, weights, report and manifest, then moves the pointer unless the gate says no.</summary>
    /// <returns>The manifest, with the gate's last decision: another version may have come to serve meanwhile.</returns>
    public async Task<Manifest> PublishAsync(
        string name, Recipe recipe, DataSplit data, Vae model, IReadOnlyList<EpochMetrics> history, bool force,
        CancellationToken cancellation = default)
    {
        var measuring = new Measuring(data.Test, recipe.Seed, model.Parameters.Backend);
        var prior = PriorFit.Of(model, data.Train, recipe.Seed, Effort.Log, cancellation);
        model.Density = prior.Density;
        var evaluation = ModelEvaluation.Of(model, data, recipe, Effort, cancellation);
        var (serving, damage) = await registry.TryReadCurrentAsync(name, cancellation);
        var concepts = LatentKnowledge.Concepts(model, data.Train, cancellation);
        var manifest = new Manifest
        {
            Model = name,
            Version = "", // chosen below
            Kind = recipe.Model.Kind,
            Created = DateTimeOffset.UtcNow,
            Image = model.Image,
            Fit = recipe.Fit == ImageFit.Crop ? null : recipe.Fit,
            LatentSize = model.LatentSize,
            Loss = recipe.LossName,
            Conditional = model.Classes > 0,
            Prior = model.Prior,
            PriorComparison = prior.Comparison,
            Labels = data.Train.LabelNames,
            Concepts =
            [
                .. concepts.Select(concept => new ConceptDescription(concept.Name, concept.Separability, concept.Examples)),
            ],
            Metrics = Metrics(recipe.Published(history), evaluation),
            Anomaly = evaluation.Anomaly,
            Recipe = recipe.ToJsonElement(),
            Data = new(data.Source, data.Fingerprint, data.Train.Count, data.Test.Count),
            Engine = Engine(model),
            Parent = serving?.Version,
        };
        manifest = manifest with
        {
            Promotion = await DecideAsync(manifest, serving, damage, measuring, force, cancellation),
        };
        while (true)
        {
            // After the runs, too: a run that a later version follows has been published.
            var runs = await Checkpoint.ListRunsAsync(registry.Store, name, cancellation);
            manifest = manifest with
            {
                Version = await registry.NewVersionAsync(name, DateTimeOffset.UtcNow, runs, cancellation),
            };
            try
            {
                manifest = await registry.PublishAsync(
                    manifest, Files(manifest, recipe, data, model, history, evaluation, concepts, prior.Axes), cancellation);
                break;
            }
            catch (VersionTakenException)
            {
                // Another published in the same second.
            }
        }
        await SweepAsync(name, cancellation);
        return manifest.Promotion!.Promoted
            ? manifest with { Promotion = await PromoteAsync(manifest, measuring, force, cancellation) }
            : manifest;
    }

    /// <summary>Judges a published version and, if the gate agrees, lets it serve. Where another promotion comes first, it is
    /// judged anew, against that one.</summary>
    /// <param name="measuring">The test images that it was judged on, to measure what serves on them too; null where they are not
    /// at hand.</param>
    public async Task<Promotion> PromoteAsync(
        Manifest manifest, Measuring? measuring, bool force, CancellationToken cancellation = default)
    {
        while (true)
        {
            var (seen, damage) = await registry.TryReadCurrentAsync(manifest.Model, cancellation);
            if (seen?.Version == manifest.Version)
                return new(true, false, $"It served already. {seen.Reason}", null, null, null, gate.Tolerance);
            var promotion = await DecideAsync(manifest, seen, damage, measuring, force, cancellation);
            if (!promotion.Promoted) return promotion;
            try
            {
                await registry.PromoteAsync(manifest.Model, manifest.Version, promotion.Reason, seen, cancellation);
                return promotion;
            }
            catch (PointerMovedException)
            {
            }
        }
    }

    /// <summary>Copies a version with everything in it from another registry, and the gate decides anew whether it serves
    /// here.</summary>
    /// <param name="version">The version; null takes the one that serves there.</param>
    /// <param name="force">Whether it serves even if it is worse than what serves here.</param>
    /// <exception cref="RegistryException">There is no such version, or it is damaged.</exception>
    public async Task<CopiedVersion> CopyAsync(
        ModelRegistry source, string name, string? version = null, bool force = false, CancellationToken cancellation = default)
    {
        version ??= await ServingVersionAsync(source, name, cancellation);
        var manifest = await source.ReadManifestAsync(name, version, cancellation);
        var files = new Dictionary<string, BinaryData>();
        foreach (var file in manifest.Files) files[file.Name] = await source.ReadFileAsync(manifest, file.Name, cancellation);
        await registry.PublishAsync(manifest, files, cancellation);
        await SweepAsync(name, cancellation);
        return new(manifest, await PromoteAsync(manifest, null, force, cancellation));
    }

    /// <summary>The version of a model that serves.</summary>
    /// <exception cref="RegistryException">None does; says what there is.</exception>
    public static async Task<string> ServingVersionAsync(
        ModelRegistry registry, string model, CancellationToken cancellation = default)
    {
        if (await registry.ReadCurrentAsync(model, cancellation) is { } current) return current.Version;
        var versions = await registry.ListVersionsAsync(model, cancellation);
        if (versions.Count > 0)
            throw new RegistryException($"No version of {model} serves in {registry.Store.Location}; name one with --version: "
                + $"{string.Join(", ", versions)}.");
        var others = await registry.ListModelsAsync(cancellation);
        throw new RegistryException($"There is no model {model} in {registry.Store.Location}; "
            + (others.Count > 0 ? $"there are: {string.Join(", ", others)}." : "none is there yet, and ./vae train makes one."));
    }

    /// <summary>The model of a published version, with its weights.</summary>
    /// <exception cref="RegistryException">There is no such version, or a file of it is damaged.</exception>
    public static async Task<(Recipe Recipe, Vae Model)> LoadAsync(
        ModelRegistry registry, Manifest manifest, ITrainingBackend backend, CancellationToken cancellation = default)
    {
        var recipe = Recipe.Parse(manifest.Recipe.GetRawText(), $"of {manifest.Model} {manifest.Version}");
        var model = recipe.Model.Build(backend, recipe.Seed);
        var weights = Safetensors.Read(await registry.ReadFileAsync(manifest, "weights.safetensors", cancellation));
        ParameterFile.Load(weights, model.Parameters, model.Parameters.Backend);
        if (manifest.Prior == Prior.Fitted)
            model.Density = DensityFile.Read(
                await registry.ReadFileAsync(manifest, DensityFile.Name, cancellation), model.LatentSize, backend);
        return (recipe, model);
    }

    async Task<Promotion> DecideAsync(
        Manifest candidate, CurrentPointer? pointer, string? damage, Measuring? measuring, bool force,
        CancellationToken cancellation)
    {
        if (pointer is null) return gate.Decide(candidate, null, unreadable: damage, force: force);
        var (serving, unreadable) = await ReadServingAsync(candidate.Model, pointer, cancellation);
        // Where it was compared with the very version that serves here, that comparison holds.
        var compared = candidate.Promotion?.ComparedWith == serving?.Version ? candidate.Promotion?.ServingLoss : null;
        if (serving is null
            || compared is not null
            || measuring is null
            || serving.Data.Fingerprint == candidate.Data.Fingerprint
            || serving.Image != candidate.Image
            || serving.Loss != candidate.Loss)
            return gate.Decide(candidate, serving, compared, unreadable, force);
        try
        {
            var (recipe, model) = await LoadAsync(registry, serving, measuring.Backend, cancellation);
            var measure = Measure.Of(model, measuring.Test, recipe with { Seed = measuring.Seed }, cancellation);
            return gate.Decide(candidate, serving, measure.Loss, force: force);
        }
        catch (Exception e) when (e is RegistryException or CheckpointException or RecipeException)
        {
            return gate.Decide(candidate, null, unreadable: $"{pointer.Version} cannot be evaluated: {e.Message}", force: force);
        }
    }

    /// <summary>Whoever publishes clears away what others left; where that fails, the next one does.</summary>
    async Task SweepAsync(string name, CancellationToken cancellation)
    {
        try
        {
            await registry.SweepAsync(name, cancellation);
        }
        catch (StorageException e)
        {
            Effort.Log?.Invoke($"What earlier publications left could not be cleared away. {e.Message}");
        }
    }

    async Task<(Manifest? Serving, string? Unreadable)> ReadServingAsync(
        string name, CurrentPointer pointer, CancellationToken cancellation)
    {
        try
        {
            return (await registry.ReadManifestAsync(name, pointer, cancellation), null);
        }
        catch (RegistryException e)
        {
            return (null, $"the manifest of {pointer.Version} cannot be read: {e.Message}");
        }
    }

    static Dictionary<string, BinaryData> Files(
        Manifest manifest, Recipe recipe, DataSplit data, Vae model, IReadOnlyList<EpochMetrics> history,
        ModelEvaluation evaluation, IReadOnlyList<Concept> concepts, PrincipalAxes axes)
    {
        var samples = ModelPictures.Samples(model);
        var reconstructions = ModelPictures.Reconstructions(model, data.Test);
        var about = new Dictionary<string, string>
        {
            ["model"] = manifest.Model,
            ["version"] = manifest.Version,
            ["kind"] = manifest.Kind,
        };
        var report = HtmlReport.Write(
            manifest.Model, manifest.Version, recipe, data, model, history, evaluation, samples, reconstructions);
        var files = new Dictionary<string, BinaryData>
        {
            ["encoder.onnx"] = PublishedGraphs.Encoder(model, about),
            ["decoder.onnx"] = PublishedGraphs.Decoder(model, about),
            ["weights.safetensors"] = Safetensors.Write(ParameterFile.ToTensors(model.Parameters), about),
            [PrincipalAxes.FileName] = axes.Write(),
            ["reconstructions.png"] = new(ImageCodec.EncodePng(reconstructions)),
            [MetricsFile.Name] = new(MetricsFile.Write(history)),
            ["report.html"] = new(report),
            [ModelCard.Name] = new(ModelCard.Write(manifest, recipe, data, model)),
        };
        var map = LatentMap.Of(model, data.Train, evaluation.KlPerLatent);
        files[LatentMapFile.Numbers] = LatentMapFile.WriteNumbers(map);
        files[LatentMapFile.Description] = LatentMapFile.WriteDescription(map);
        if (model is IAutoregressive quantised)
        {
            files["prior.onnx"] = PublishedGraphs.Prior(quantised, about);
            files["density.onnx"] = PublishedGraphs.Density(quantised, model.LatentSize, about);
        }
        if (model.Density is { } density)
        {
            files["prior.onnx"] = PublishedGraphs.Prior(density, about);
            files["density.onnx"] = PublishedGraphs.Density(density, about);
            files[DensityFile.Name] = DensityFile.Write(density);
        }
        if (concepts.Count > 0) files[ConceptFile.Name] = ConceptFile.Write(concepts);
        if (samples is not null) files["samples.png"] = new(ImageCodec.EncodePng(samples));
        return files;
    }

    /// <summary>Of the epoch whose weights are published, and of those weights.</summary>
    static Dictionary<string, double> Metrics(EpochMetrics epoch, ModelEvaluation evaluation) =>
        new(evaluation.Metrics)
        {
            [Manifest.TestLoss] = epoch.Test.Loss,
            ["test_reconstruction"] = epoch.Test.MeanReconstruction,
            ["test_kl"] = epoch.Test.MeanKl,
            ["train_loss"] = epoch.Train.Loss,
            ["epochs"] = epoch.Epoch,
        };

    static string? ProgramVersion =>
        typeof(Publisher).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;

    static Dictionary<string, string> Engine(Vae model) => new()
    {
        ["vae-functions"] = ProgramVersion ?? "unknown",
        ["backend"] = model.Parameters.Backend.Device,
        ["runtime"] = RuntimeInformation.FrameworkDescription,
        ["onnx-opset"] = "17",
    };
}
