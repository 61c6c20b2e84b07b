using System.Text;
using VaeFunctions.Data;
using VaeFunctions.Models;
using VaeFunctions.Registry;
using VaeFunctions.Training;

namespace VaeFunctions.Evaluation;

/// <summary>MODEL_CARD.md of a version: what it is, of which data, how good, what it is for and where it fails, and how it is
/// loaded. (Mitchell et al. 2019, "Model cards for model reporting")</summary>
public static class ModelCard
{
    public const string Name = "MODEL_CARD.md";

    /// <summary>The metrics that mean something by themselves, with a word for each.</summary>
    static readonly (string Metric, string Meaning)[] Shown =
    [
        (Manifest.TestLoss, "what was minimised, on test images"),
        ("psnr_db", "PSNR of reconstructions of test images, in dB"),
        ("ssim", "SSIM of reconstructions of test images"),
        ("perceptual_distance", "distance of reconstructions of test images in a pretrained network's features"),
        ("frechet_reconstructions", "Fréchet distance of reconstructions in a pretrained network's features"),
        ("frechet_samples", "Fréchet distance of samples in a pretrained network's features"),
        ("bound_bits_per_dim", "importance-weighted bound of the likelihood, in bits per value"),
        ("active_units", "latents in use"),
    ];

    /// <summary>With less separability an edit means little; ½ is chance.</summary>
    const double LeastSeparability = 0.6;

    /// <param name="manifest">The version's, before its files are listed.</param>
    public static string Write(Manifest manifest, Recipe recipe, DataSplit data, Vae model)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        var card = new StringBuilder();
        Line($"# {Code(manifest.Model)}, version {manifest.Version}");
        Line("");
        Line($"A {manifest.Kind} with {model.Parameters.WeightCount:N0} weights and "
            + $"{Plural.Of(manifest.LatentSize, "latent")} for images of "
            + $"{manifest.Image.Width}×{manifest.Image.Height}, {(manifest.Image.Channels == 1 ? "grey" : "RGB")}. "
            + Text(recipe.Description));
        Line($"Trained on {manifest.Created.UtcDateTime:yyyy-MM-dd} for "
            + $"{Plural.Of((long)manifest.Metrics.GetValueOrDefault("epochs"), "epoch")} "
            + $"(seed {recipe.Seed}); the whole recipe is in `manifest.json`.");
        Line("");
        Line($"## Data");
        Line($"{Plural.Of(data.Train.Count, "image")} to train on and {data.Test.Count:N0} to test with, from "
            + $"{Code(data.Source)} (fingerprint `{data.Fingerprint}`).");
        if (data.Train.LabelNames.Count > 0)
            Line($"{Plural.Of(data.Train.LabelNames.Count, "label")}, "
                + (manifest.Conditional ? "on which the model is conditional" : "which it was not shown")
                + $": {string.Join(", ", data.Train.LabelNames.Take(20).Select(Code))}"
                + (data.Train.LabelNames.Count > 20 ? ", …." : "."));
        Line($"Who is in these images, and under which terms they may be used, is not known to the program that wrote this card: "
            + "add it.");
        Line("");
        Line($"## Measures");
        if (data.Test.Count < AnomalyCalibration.EnoughImages)
            Line($"They are of {Plural.Of(data.Test.Count, "test image")}, too few to judge by.\n");
        Line($"| measure | value | |");
        Line($"| --- | ---: | --- |");
        foreach (var (metric, meaning) in Shown)
            if (manifest.Metrics.TryGetValue(metric, out var value)) Line($"| `{metric}` | {value:G5} | {meaning} |");
        Line("");
        if (manifest.PriorComparison is { } prior)
        {
            var drawn = prior.Chosen == "standard-normal"
                ? "N(0, I)"
                : $"a {prior.Chosen} that was fitted to the codes of {prior.Fitted:N0} training images";
            Line($"Latents are drawn from {drawn}; log-likelihood of {prior.HeldOut:N0} held-out codes in nats: "
                + $"{string.Join(", ", prior.LogLikelihoods.Select(pair => $"{pair.Key} {pair.Value:F2}"))}.\n");
        }
        if (manifest.Concepts.Count > 0)
            Concepts();
        Line($"## What it is for");
        Line($"Exploring images like those it was trained on: reconstruction, samples, interpolation, edits by concept, "
            + $"mending holes, more training data, and finding images that are unlike them.");
        Line("");
        Line($"## Limits");
        Line($"- Images of another kind come back as something it knows, without a warning but the anomaly score's.");
        Line($"- What is rare in the training images is drawn worse, and what they lack not at all; their bias is the model's.");
        Line($"- Samples and edits are invented: they are evidence of nothing, least of all of a person.");
        Line($"- Anomaly verdicts go by {Plural.Of(data.Test.Count, "test image")}"
            + (data.Test.Count < AnomalyCalibration.EnoughImages
            ? ", too few: there are none."
            : "; one ordinary image in a hundred is called anomalous."));
        Line("");
        Line($"## How to load it");
        Line($"Any ONNX runtime runs the graphs; pixels are bytes, "
            + $"`[N, {manifest.Image.Height}, {manifest.Image.Width}, {manifest.Image.Channels}]`.");
        Line("");
        Line($"```python");
        Line($"import numpy as np, onnxruntime as ort");
        var label = manifest.Conditional ? ", \"label\": np.zeros(16, np.int64)" : "";
        Draw();
        Line($"pixels = ort.InferenceSession(\"decoder.onnx\").run([\"pixels\"], {{\"latent\": latent{label}}})[0]");
        Line($"```");
        Line("");
        Line($"`./vae serve` serves it over HTTP; `weights.safetensors` has the weights under PyTorch's names.");
        return card.ToString();

        void Concepts()
        {
            Line($"## Concepts");
            Line($"Directions of the latent space, for edits and the explorer's sliders. Separability is the balanced accuracy "
                + $"on images kept aside: the mean of the parts of both sides that the latents put right; ½ is chance.");
            Line($"| concept | separability | found from | remark |");
            Line($"| --- | ---: | ---: | --- |");
            foreach (var concept in manifest.Concepts.OrderByDescending(concept => concept.Separability))
                Line($"| {Code(concept.Name)} | {(concept.Separability is { } known ? $"{known:0.000}" : "")} | "
                    + $"{Plural.Of(concept.Examples ?? 0, "image")} | {Remark(concept.Separability)} |");
            Line("");
        }

        static string Remark(double? separability) => separability switch
        {
            null => "too few images to judge it by",
            < LeastSeparability => "hardly better than chance: an edit by it means little",
            _ => "",
        };

        void Draw()
        {
            if (manifest.Prior == Prior.Fitted)
                Line($"latent = ort.InferenceSession(\"prior.onnx\").run([\"latent\"], "
                    + $"{{\"noise\": np.random.randn(16, {manifest.LatentSize}).astype(np.float32), "
                    + $"\"choice\": np.random.rand(16).astype(np.float32)}})[0]");
            else if (manifest.Prior == Prior.StandardNormal)
                Line($"latent = np.random.randn(16, {manifest.LatentSize}).astype(np.float32)");
            else
                Line($"latent = np.zeros((16, {manifest.LatentSize}), np.float32)  # or the encoder's mean: "
                    + (manifest.Prior == Prior.None
                        ? "nothing says which codes are likely"
                        : "prior.onnx draws codes one by one"));
        }

        // Numbers are written alike under every culture: the build is invariant.
        void Line(string text) => card.Append(text).Append('\n');
    }

    /// <summary>Anything as code on one line, whatever is in it.</summary>
    static string Code(string text) => $"`{Text(text).Replace('`', '\'')}`";

    /// <summary>On one line, and no HTML.</summary>
    static string Text(string text) => string.Concat(text.Select(letter => char.IsControl(letter) ? ' ' : letter))
        .Replace("<", "&lt;", StringComparison.Ordinal);
}
