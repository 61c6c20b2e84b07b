using System.Text.Json;
using VaeFunctions.Imaging;
using VaeFunctions.Models;

namespace VaeFunctions.Registry;

/// <summary>What a published version is: enough to serve it, to judge it and to make it again. Written last, never
/// changed.</summary>
/// <remarks>Setters of optional collections take null for empty: generated deserializers hand in null for a key that is not
/// there.</remarks>
public sealed record Manifest
{
    /// <summary>The one format this build reads and writes.</summary>
    public const int CurrentFormat = 1;

    /// <summary>The metric that <see cref="PromotionGate"/> compares.</summary>
    public const string TestLoss = "test_loss";

    /// <summary>The manifest's own SHA-256, filled in as it is written and checked as it is read; null where an earlier build
    /// wrote it.</summary>
    public string? Seal { get; init; }

    public int Format { get; init; } = CurrentFormat;

    public required string Model { get; init; }

    public required string Version { get; init; }

    /// <summary>The architecture, such as <c>conv-vae</c>.</summary>
    public required string Kind { get; init; }

    public required DateTimeOffset Created { get; init; }

    /// <summary>The pixels that the graphs take and give.</summary>
    public required ImageShape Image { get; init; }

    /// <summary>How images of other sizes came to the model's in training, and come to it where it serves; null where they were
    /// cropped, as usual.</summary>
    public ImageFit? Fit { get; init; }

    public required int LatentSize { get; init; }

    /// <summary>What <see cref="TestLoss"/> measures, such as <c>squared error + KL, summed per image</c>. Only equal ones
    /// compare.</summary>
    public required string Loss { get; init; }

    /// <summary>Whether the graphs take a <c>label</c>: a number below that of <see cref="Labels"/>.</summary>
    public bool Conditional { get; init; }

    /// <summary>How latents are drawn to be decoded into samples.</summary>
    public Prior Prior { get; init; }

    /// <summary>What was fitted to the codes of training images, and how well; null where nothing was.</summary>
    public PriorComparison? PriorComparison { get; init; }

    /// <summary>The classes of a conditional model or of labelled data, by their number.</summary>
    public IReadOnlyList<string> Labels { get; init => field = value ?? []; } = [];

    /// <summary>The latent directions in <c>concepts.safetensors</c>.</summary>
    public IReadOnlyList<ConceptDescription> Concepts { get; init => field = value ?? []; } = [];

    public AnomalyCalibration? Anomaly { get; init; }

    /// <summary>Measurements by name; <see cref="TestLoss"/> is one of them.</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init => field = value ?? new Dictionary<string, double>(); } =
        new Dictionary<string, double>();

    /// <summary>The full recipe of the run.</summary>
    public required JsonElement Recipe { get; init; }

    public required DataDescription Data { get; init; }

    /// <summary>What trained and exported the model: name to version.</summary>
    public IReadOnlyDictionary<string, string> Engine { get; init => field = value ?? new Dictionary<string, string>(); } =
        new Dictionary<string, string>();

    /// <summary>The version that this one replaced or was trained on from.</summary>
    public string? Parent { get; init; }

    /// <summary>What the gate decided before publishing. Which version serves now is said by the pointer alone.</summary>
    public Promotion? Promotion { get; init; }

    /// <summary>Every file of the version but this one; the registry fills it in.</summary>
    public IReadOnlyList<ManifestFile> Files { get; init => field = value ?? []; } = [];
}

/// <summary>The data of a run. Two data sets with one fingerprint hold the same images, split the same way.</summary>
public sealed record DataDescription(string Source, string Fingerprint, int Train, int Test);

/// <summary>A file of a version: its size in bytes and its SHA-256 in lower-case hexadecimal.</summary>
public sealed record ManifestFile(string Name, long Size, string Sha256);

/// <summary>A direction of the latent space and how well it parts images with it from those without.</summary>
/// <param name="Separability">½ is chance, 1 perfect; null where there were too few images to judge by.</param>
/// <param name="Examples">How many images it was found from; null in manifests from before this was said.</param>
public sealed record ConceptDescription(string Name, double? Separability, int? Examples = null);

/// <summary>How likely the codes of held-out training images are under each prior.</summary>
/// <param name="Chosen">The one that is published, by its name in <paramref name="LogLikelihoods"/>.</param>
/// <param name="Fitted">How many codes the fitted ones were fitted to.</param>
/// <param name="HeldOut">How many codes judged.</param>
/// <param name="LogLikelihoods">The mean log density in nats: of <c>standard-normal</c>, <c>gaussian</c>, <c>mixture</c>,
/// <c>tied-mixture</c>, whose components have one covariance, and <c>flow</c>, as far as each could be fitted.</param>
public sealed record PriorComparison(
    string Chosen, int Fitted, int HeldOut, IReadOnlyDictionary<string, double> LogLikelihoods);

/// <summary>What anomaly scores ordinary images have, which are all test images: quantile, such as "0.99", to score.</summary>
/// <param name="Quantiles">Of the reconstruction error.</param>
public sealed record AnomalyCalibration(IReadOnlyDictionary<string, double> Quantiles)
{
    /// <summary>The fewest images by which one in a hundred can be told.</summary>
    public const int EnoughImages = 100;

    /// <summary>Why there is no verdict from so many test images: how many there were, and how many it takes.</summary>
    public static string TooFew(int tests) =>
        $"The version was tested with {Plural.Of(tests, "image")}; a verdict takes {EnoughImages} or more, which is a tenth of "
        + $"about {10 * EnoughImages:N0} images to train with.";

    /// <summary>The same of how unlikely the images' codes are, −log p in nats; null where nothing says which are
    /// likely.</summary>
    public IReadOnlyDictionary<string, double>? Codes { get; init; }

    /// <summary>The same of each of <see cref="Imaging.ImageTraits"/>, by name; null in manifests from before they
    /// counted.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>>? Traits { get; init; }

    /// <summary>The same of all together, the steps of <see cref="Latent.Anomaly.Joint"/>; null in manifests from before codes
    /// counted.</summary>
    public IReadOnlyDictionary<string, double>? Joint { get; init; }
}
