using System.Text.RegularExpressions;
using VaeFunctions.Cpu;
using VaeFunctions.Data;
using VaeFunctions.Evaluation;
using VaeFunctions.Latent;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Training;

public sealed class PublisherTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("publisher-").FullName;

    ModelRegistry Registry => new(new FolderBlobStore(folder));

    public void Dispose() => Directory.Delete(folder, recursive: true);

    async Task<Manifest> TrainAndPublishAsync(int epochs, DataSplit? data = null, bool force = false)
    {
        var recipe = TinyTraining.Recipe with { Epochs = epochs };
        data ??= TinyTraining.Data;
        var (learner, state) = await TinyTraining.TrainAsync(Registry.Store, recipe, data);
        return await new Publisher(Registry, new()).PublishAsync("discs", recipe, data, learner.Model, state.History, force);
    }

    [Fact]
    public async Task A_published_version_holds_what_the_layout_promises_and_loads_as_it_was()
    {
        var manifest = await TrainAndPublishAsync(4);
        Assert.Equal(["MODEL_CARD.md", "axes.safetensors", "decoder.onnx", "encoder.onnx", "map.json", "map.safetensors",
            "metrics.csv", "reconstructions.png", "report.html", "samples.png", "weights.safetensors"],
            manifest.Files.Select(file => file.Name));
        Assert.Equal(manifest.Version, (await Registry.ReadCurrentAsync("discs"))!.Version);

        var (recipe, model) = await Publisher.LoadAsync(Registry, manifest, new CpuBackend());
        Assert.Equal(manifest.Metrics[Manifest.TestLoss], Measure.Of(model, TinyTraining.Data.Test, recipe).Loss, 6);
    }

    [Fact]
    public async Task A_published_version_says_how_good_it_is_and_from_where_an_image_is_strange()
    {
        var manifest = await TrainAndPublishAsync(4);
        Assert.Equal(manifest.Metrics[Manifest.TestLoss], manifest.Metrics["negative_elbo"], 3);
        foreach (var metric in (string[])["psnr_db", "ssim", "active_units", "bound_nats", "sharpness_samples"])
            Assert.Contains(metric, manifest.Metrics.Keys);
        var quantiles = manifest.Anomaly!.Quantiles;
        Assert.Equal(["0.01", "0.05", "0.5", "0.9", "0.95", "0.99", "0.999"], quantiles.Keys);
        Assert.Equal(["contrast", "sharpness"], manifest.Anomaly.Traits!.Keys);
        foreach (var others in (IReadOnlyDictionary<string, double>[])[manifest.Anomaly.Traits["contrast"],
            manifest.Anomaly.Codes!, manifest.Anomaly.Joint!])
            Assert.Equal(quantiles.Keys, others.Keys.Where(part => part != "0"));
        Assert.Equal(quantiles.Values.Order(), quantiles.Values);
        Assert.InRange(quantiles["0.5"], 1e-6, 1);
        var report = (await Registry.ReadFileAsync(manifest, "report.html")).ToString();
        Assert.Contains("KL of each latent", report);
        Assert.Contains($"{manifest.Metrics["active_units"]} of {manifest.LatentSize} are in use", report);
        var pictures = report.IndexOf("<img", StringComparison.Ordinal);
        Assert.InRange(pictures, 0, report.IndexOf("<svg", StringComparison.Ordinal));
        Assert.Contains("reconstruction error, quantile 0.95", report);
        Assert.DoesNotContain("reconstruction error, quantile 0.99", report); // no whole image of 30 lies beyond it
        Assert.Contains("<p class=\"soft\">loss = reconstruction + kl.</p>", report);
    }

    [Theory]
    [InlineData("0.9", 9, false), InlineData("0.9", 10, true)]
    [InlineData("0.99", 99, false), InlineData("0.99", 100, true)]
    [InlineData("0.01", 99, false), InlineData("0.01", 100, true)]
    public void A_quantile_is_reported_where_an_image_lies_on_each_side(string part, int images, bool isReported) =>
        Assert.Equal(isReported, EvaluationSection.HasImagesOnBothSides(part, images));

    [Fact]
    public async Task Concepts_come_from_attributes()
    {
        // Bright discs and dark ones, and an attribute that is drawn by chance.
        static ImageDataset Discs(int count, ulong seed)
        {
            var random = new RandomStream(seed, "chance");
            var attributes = new float[count, 2];
            for (var i = 0; i < count; i++) (attributes[i, 0], attributes[i, 1]) = (i % 2, random.NextInt(2));
            var plain = TinyTraining.Discs(count, seed)
                .Map((i, pixels) => i % 2 == 1 ? pixels : Array.ConvertAll(pixels, pixel => (byte)(255 - pixel)));
            return new(plain.Shape, [.. Enumerable.Range(0, count).Select(i => plain.Pixels(i).ToArray())],
                attributes: attributes, attributeNames: ["Bright Disc", "chance"]);
        }
        var manifest = await TrainAndPublishAsync(15, DataSplit.Of(Discs(400, 5), Discs(60, 6), "bright discs"));
        Assert.Equal(["bright_disc", "chance"], manifest.Concepts.Select(concept => concept.Name));
        Assert.True(manifest.Concepts[0].Separability > 0.95, $"{manifest.Concepts[0]}");
        Assert.InRange(manifest.Concepts[1].Separability!.Value, 0.3, 0.7);
        var file = ConceptFile.Read(await Registry.ReadFileAsync(manifest, ConceptFile.Name), manifest.LatentSize);
        Assert.Equal(manifest.Concepts,
            file.Select(concept => new ConceptDescription(concept.Name, concept.Separability, concept.Examples)));
    }

    [Fact]
    public async Task A_worse_model_is_kept_but_does_not_serve_unless_forced()
    {
        var good = await TrainAndPublishAsync(6);
        var bad = await TrainAndPublishAsync(1);
        Assert.False(bad.Promotion!.Promoted);
        Assert.Equal(good.Version, (await Registry.ReadCurrentAsync("discs"))!.Version);

        var forced = await TrainAndPublishAsync(1, force: true);
        Assert.True(forced.Promotion is { Promoted: true, Forced: true });
        Assert.Equal(forced.Version, (await Registry.ReadCurrentAsync("discs"))!.Version);
        Assert.Equal(good.Version, (await Registry.RollbackAsync("discs")).Version);
    }

    [Theory]
    [InlineData("models/discs/current.json", "")]
    [InlineData("models/discs/VERSION/manifest.json", "{")]
    [InlineData("models/discs/VERSION/manifest.json", null)]
    [InlineData("models/discs/VERSION/weights.safetensors", "not these")]
    public async Task Beside_a_damaged_serving_version_a_model_is_published_but_does_not_serve(string path, string? damage)
    {
        var served = await TrainAndPublishAsync(1);
        path = path.Replace("VERSION", served.Version);
        if (damage is null) await Registry.Store.DeleteAsync(path);
        else await Registry.Store.WriteAsync(path, BinaryData.FromString(damage));
        // So that the weights are asked for, too.
        var moreData = DataSplit.Of(TinyTraining.Discs(100, 3), TinyTraining.Discs(30, 4), "other discs");

        var kept = await TrainAndPublishAsync(1, moreData);
        Assert.False(kept.Promotion!.Promoted);
        Assert.Contains(path.EndsWith("manifest.json") && damage is null ? served.Version : path, kept.Promotion.Reason);
        Assert.Contains(kept.Version, await Registry.ListVersionsAsync("discs"));

        var copy = new ModelRegistry(new FolderBlobStore(Path.Combine(folder, "copy")));
        await new Publisher(copy, new()).CopyAsync(Registry, "discs", kept.Version, force: false);
        var (_, promotion) = await new Publisher(Registry, new()).CopyAsync(copy, "discs", kept.Version, force: false);
        Assert.False(promotion.Promoted);

        var forced = await TrainAndPublishAsync(1, moreData, force: true);
        Assert.True(forced.Promotion is { Promoted: true, Forced: true });
        Assert.Equal(forced.Version, (await Registry.ReadCurrentAsync("discs"))!.Version);
    }

    [Fact]
    public async Task A_manifest_gives_only_an_images_extents_and_one_that_gives_more_is_read()
    {
        var manifest = await TrainAndPublishAsync(1);
        var path = $"models/discs/{manifest.Version}/manifest.json";
        var json = (await Registry.Store.TryReadAsync(path, 1 << 20))!.Content.ToString();
        Assert.DoesNotContain("\"size\": 64", json);
        Assert.Equal(2, Regex.Count(json, "\"channels\": 1\\s*}"));

        json = Regex.Replace(json, "\"seal\": \"[0-9a-f]{64}\",", ""); // those that give more had none
        await Registry.Store.WriteAsync(path,
            BinaryData.FromString(Regex.Replace(json, "(\"channels\": 1)(\\s*})", "$1, \"size\": 64$2")));
        await Publisher.LoadAsync(Registry, await Registry.ReadManifestAsync("discs", manifest.Version), new CpuBackend());
    }

    [Fact]
    public async Task On_new_data_the_serving_model_is_measured_anew()
    {
        await TrainAndPublishAsync(1);
        var moreData = DataSplit.Of(TinyTraining.Discs(200, 3), TinyTraining.Discs(40, 4), "more discs");
        var better = await TrainAndPublishAsync(6, moreData);
        Assert.True(better.Promotion is { Promoted: true, Forced: false, ServingLoss: not null });
    }

    [Fact]
    public void Reconstructions_stand_under_their_originals_in_full_rows()
    {
        Assert.Equal(30, TinyTraining.Data.Test.Count);
        var shape = ModelPictures.Reconstructions(TinyTraining.Build(TinyTraining.Recipe).Model, TinyTraining.Data.Test).Shape;
        // Three rows of eight and their reconstructions, 2 pixels around each.
        Assert.Equal(6.0 / 8, (shape.Height - 2.0) / (shape.Width - 2));
    }
}
