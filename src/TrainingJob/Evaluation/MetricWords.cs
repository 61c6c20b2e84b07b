namespace VaeFunctions.Evaluation;

/// <summary>What each metric is called on pages, and what it means to someone who has not met it.</summary>
public static class MetricWords
{
    static readonly Dictionary<string, (string Title, string Words)> known = new()
    {
        ["active_units"] = ("latents in use", "Those whose value differs from image to image (variance of the mean above 0.01); "
            + "the model found no use for the others."),
        ["bound_bits_per_dim"] = ("bits per pixel value", "What a lossless file would need for each value, by the bound below; "
            + "lower is better."),
        ["bound_draws"] = ("draws of the bound", "How many latents were drawn for each image to compute it."),
        ["bound_images"] = ("images of the bound", "How many test images it was computed on."),
        ["bound_nats"] = ("importance-weighted bound", "−log p(x) in nats, at most: how likely the model thinks unseen images, "
            + "from many draws of the latent; lower is better."),
        ["bound_standard_error"] = ("its standard error", "How far the mean over those images may be off by chance."),
        ["classifier_accuracy"] = ("the reading classifier", "Of real test images, how many a classifier reads correctly "
            + "that judges samples below."),
        ["codebook_perplexity"] = ("codebook perplexity", "As many codes, used equally often, "
            + "would be as varied as those in use."),
        ["codes_used"] = ("codes in use", "The part of the codebook that test images need."),
        ["feature_samples"] = ("samples judged by features", "How many images were drawn to compare samples with images."),
        ["frechet_reconstructions"] = ("Fréchet distance of reconstructions", "How far reconstructions lie from their images, "
            + "as sets, in the eyes of a pretrained network; lower is better. Compare models of the same images only."),
        ["frechet_samples"] = ("Fréchet distance of samples", "The same between samples and training images; lower is better."),
        ["frechet_unfitted"] = ("the same without a fitted prior", "Of samples drawn as if no prior had been fitted to the "
            + "codes: from N(0, I), or with all codes of a codebook equally often. The difference is what the fitted prior "
            + "gains."),
        ["latents"] = ("latents", "Numbers that stand for an image."),
        ["linear_probe_accuracy"] = ("linear probe", "How often a straight cut through the latent space tells an image's label: "
            + "whether labels lie apart there."),
        ["majority_class_accuracy"] = ("majority-class baseline", "How often always guessing the most frequent label is "
            + "right, to compare the linear probe with."),
        ["mutual_information_gap"] = ("mutual information gap", "Whether each attribute has a latent of its own: "
            + "1 if one knows all of it and no other anything, 0 if two know the same."),
        ["negative_elbo"] = ("negative ELBO", "Reconstruction error plus KL, in nats a test image, each with "
            + "weight 1, whatever weights the training gives them; lower is better."),
        ["perceptual_distance"] = ("perceptual distance", "How different images and reconstructions look to a pretrained "
            + "network; lower is better."),
        ["precision"] = ("precision", "Of samples, the part that lies among the training images in that network's eyes: "
            + "how convincing each is by itself. With a recall near 0 it says little: blurs that are all alike have it too."),
        ["psnr_db"] = ("peak signal-to-noise ratio", "How close reconstructions are to their images, in decibels; "
            + "higher is better, and 6 more halve the difference."),
        ["recall"] = ("recall", "Of training images, the part that lies among the samples: how much of their variety is drawn."),
        ["samples_read_as_asked"] = ("samples read as asked", "Of samples drawn as a certain label, "
            + "how many that classifier reads as it."),
        ["sharpness_data"] = ("sharpness of the images", "How much each pixel of test images differs from those "
            + "around it (the variance of the Laplacian), to compare with."),
        ["sharpness_reconstructions"] = ("sharpness of reconstructions", "The same of reconstructions; less is blurrier."),
        ["sharpness_samples"] = ("sharpness of samples", "The same of samples."),
        ["ssim"] = ("structural similarity", "How alike images and reconstructions look, by contrast and structure; "
            + "1 is the same."),
        ["test_images"] = ("test images", "Images that were kept apart from training; all that stands here is measured on them."),
    };

    /// <summary>What a metric is called; its own name where it is not known here.</summary>
    public static string Title(string metric) =>
        known.TryGetValue(metric, out var entry) ? entry.Title : metric.Replace('_', ' ');

    /// <summary>What it means, in a sentence; nothing where it is not known here.</summary>
    public static string Words(string metric) => known.TryGetValue(metric, out var entry) ? entry.Words : "";
}
