using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using VaeFunctions.Imaging;
using VaeFunctions.Latent;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests;

/// <summary>Every latent operation through HTTP, on a model whose latents are the brightness of four bands, minus ½.</summary>
[Collection(Serving.Name)]
public sealed class LatentOperationTests(ServingFixture serving)
{
    const string Tiny = $"models/{ServingFixture.Model}";

    static readonly byte[] Dark = Pictures.Bands(51, 51, 51, 51); // latents of −0.3
    static readonly byte[] Light = Pictures.Bands(204, 204, 204, 204); // latents of +0.3

    Task<HttpResponseMessage> PostAsync(string operation, object body, string? accept = null) =>
        serving.Http.SendAsync(HttpMethod.Post, $"{Tiny}/{operation}", JsonSerializer.Serialize(body).Json(), accept);

    static float[] Numbers(JsonNode? array) => [.. array!.AsArray().Select(value => (float)value!)];

    static byte[] Greys(Image image) => [.. Enumerable.Range(0, 4).Select(band => image.Pixels[band * image.Pixels.Length / 4])];

    static Image Picture(JsonNode? png) => ImageCodec.Decode(Convert.FromBase64String((string)png!));

    [Fact]
    public async Task Encoding_and_decoding_are_each_others_inverse()
    {
        using var response = await serving.Http.SendAsync(
            HttpMethod.Post, $"{Tiny}/encode", Pictures.Bands(10, 60, 130, 250).Body("image/png"));
        Assert.Equal("v1", response.Header("X-Version"));
        var encoded = (await Task.FromResult(response).JsonAsync())["images"]![0]!;
        Assert.Equal(60 / 255f - 0.5f, Numbers(encoded["mean"])[1], 1e-5);
        var image = await PostAsync("decode", new { latents = Numbers(encoded["mean"]) }).PngAsync();
        Assert.Equal([10, 60, 130, 250], Greys(image));
    }

    [Fact]
    public async Task Decoding_several_latents_gives_a_zip_in_their_order()
    {
        var bytes = await PostAsync("decode", new { latents = new float[][] { [0, 0, 0, 0], [0.5f, 0, 0, 0] } },
            "application/zip").BytesAsync("application/zip");
        using var zip = new ZipArchive(new MemoryStream(bytes));
        Assert.Equal(2, zip.Entries.Count);
    }

    [Fact]
    public async Task A_straight_way_between_two_images_gets_lighter_in_equal_steps()
    {
        var answer = await PostAsync("interpolate", new { stops = new[] { Dark, Light }, steps = 4, method = "lerp" },
            "application/json").JsonAsync();
        Assert.Equal([51, 102, 153, 204], answer["images"]!.AsArray().Select(image => (int)Picture(image!["png"]).Pixels[0]));
    }

    [Fact]
    public async Task Stops_may_be_files_latents_and_seeds_and_the_answer_a_strip_or_an_animation()
    {
        using var form = HttpExtensions.Form();
        form.Add(Dark.Body("image/png"), "stops", "a.png");
        form.Add(Light.Body("image/png"), "stops", "b.png");
        form.Add(new StringContent("3"), "steps");
        var strip = await serving.Http.SendAsync(HttpMethod.Post, $"{Tiny}/interpolate", form).PngAsync();
        Assert.Equal((3 * 10 + 2, 12), (strip.Width, strip.Height));

        var body = """{"stops": [{"latent": [0.1, 0, 0, 0]}, {"seed": 4}, [0, 0, 0, 0.2]], "steps": 5}""".Json();
        var animation = await serving.Http.SendAsync(HttpMethod.Post, $"{Tiny}/interpolate", body, "image/apng")
            .BytesAsync("image/apng");
        Assert.Equal(9, Encoding.Latin1.GetString(animation).Split("fcTL").Length - 1);
        Assert.Equal(TinyModel.Shape, ImageCodec.Decode(animation).Shape);
    }

    [Fact]
    public async Task Terms_add_up_with_their_weights()
    {
        object[] terms = [new { image = Light }, new { latent = new[] { 0.1f, 0, 0, 0 }, weight = -2 },
            new { concept = "bright", weight = -1 }];
        var answer = await PostAsync("arithmetic", new { terms }, "application/json").JsonAsync();
        Assert.Equal([0.3f - 0.2f - 0.25f, 0.05f, 0.05f, 0.05f], Numbers(answer["latent"]), (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.Equal([(byte)MathF.Round(255 * 0.35f), 140, 140, 140], Greys(Picture(answer["png"])));
    }

    [Fact]
    public async Task An_edit_gives_a_strip_of_strengths()
    {
        var answer = await PostAsync("edit",
            new { image = Dark, concepts = new { bright = 2 }, strengths = new[] { -0.4, 0, 1 } }, "application/json")
            .JsonAsync();
        // 255 · (0.2 + strength · 2 · 0.25)
        Assert.Equal([0, 51, 178], answer["images"]!.AsArray().Select(image => (int)Picture(image!["png"]).Pixels[0]));
        // The other direction of the same concept moves the first band alone.
        var logistic = await PostAsync(
            "edit", new { image = Dark, concepts = new { bright = 1 }, direction = "logistic" }).PngAsync();
        Assert.Equal([178, 51, 51, 51], Greys(logistic));
    }

    [Fact]
    public async Task A_concept_can_come_from_examples_in_the_same_request()
    {
        var examples = new { light = new { with = new[] { Light }, without = new[] { Dark } } };
        var image = await PostAsync("edit", new { image = Dark, concepts = new { light = 1 }, examples }).PngAsync();
        Assert.Equal([204, 204, 204, 204], Greys(image));
    }

    [Fact]
    public async Task A_concept_can_be_saved_under_a_name_and_used_from_then_on()
    {
        var body = JsonSerializer.Serialize(new { with = new[] { Light, Light }, without = new[] { Dark } }).Json();
        var saved = await serving.Http.SendAsync(HttpMethod.Put, $"{Tiny}/concepts/lighter", body).JsonAsync();
        Assert.Equal(3, (int)saved["examples"]!);
        Assert.Null(saved["separability"]); // too few to judge by
        var listed = await serving.Http.SendAsync(HttpMethod.Get, $"{Tiny}/concepts").JsonAsync();
        Assert.Equal(["bright", "lighter"], listed["concepts"]!.AsArray().Select(concept => (string)concept!["name"]!));
        Assert.Equal([204, 204, 204, 204],
            Greys(await PostAsync("edit", new { image = Dark, concepts = new { lighter = 1 } }).PngAsync()));
        Assert.Equal(1, await new AzureBlobStore(serving.Blobs)
            .ListAsync($"concepts/{ServingFixture.Model}/v1/lighter.safetensors").CountAsync());
        Assert.Equal(["v1"], (await serving.Http.SendAsync(HttpMethod.Get, $"{Tiny}/versions").JsonAsync())["versions"]!.AsArray()
            .Select(version => (string)version!));
    }

    [Fact]
    public async Task A_saved_concept_that_is_damaged_hides_no_other()
    {
        var (model, body) = ("leaky", JsonSerializer.Serialize(new { with = new[] { Light }, without = new[] { Dark } }).Json());
        await TinyModel.ServeAsync(serving.Registry, model, "v1");
        await serving.Http.SendAsync(HttpMethod.Put, $"models/{model}/concepts/lighter", body).JsonAsync();
        await serving.Registry.Store.WriteAsync($"concepts/{model}/v1/broken.safetensors", BinaryData.FromString("no tensors"));
        var listed = await serving.Http.SendAsync(HttpMethod.Get, $"models/{model}/concepts").JsonAsync();
        Assert.Equal(["lighter"], listed["concepts"]!.AsArray().Select(concept => (string)concept!["name"]!));
        Assert.Contains($"concepts/{model}/v1/broken.safetensors is left out", serving.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_concept_is_found_and_deleted_as_its_label_is_written()
    {
        const string model = "leaky-too", path = $"concepts/{model}/v1/long_hair.safetensors";
        await TinyModel.ServeAsync(serving.Registry, model, "v1");
        await serving.Registry.Store.WriteAsync(path, BinaryData.FromString("no tensors"));
        var reason = await serving.Http.SendAsync(HttpMethod.Post, $"models/{model}/arithmetic",
            """{"terms": [{"concept": "Long Hair"}]}""".Json()).ProblemAsync(503);
        Assert.Contains(path, reason, StringComparison.Ordinal);
        using var deleted = await serving.Http.SendAsync(HttpMethod.Delete, $"models/{model}/concepts/Long%20Hair");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal(0, await serving.Registry.Store.ListAsync(path).CountAsync());
    }

    [Fact]
    public async Task A_published_concept_is_not_overwritten()
    {
        var body = JsonSerializer.Serialize(new { with = new[] { Light }, without = new[] { Dark } }).Json();
        Assert.Contains("another name", await serving.Http.SendAsync(HttpMethod.Put, $"{Tiny}/concepts/bright", body)
            .ProblemAsync(409), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_concept_can_be_made_of_latents_and_deleted_again()
    {
        const string concepts = "models/with-latents/concepts";
        await TinyModel.ServeAsync(serving.Registry, "with-latents", "v1");
        var body = """{"with": [[0.5, 0, 0, 0]], "without": [{"latent": [0, 0, 0, 0]}, [0, 0, 0, 0]]}""".Json();
        var saved = await serving.Http.SendAsync(HttpMethod.Put, $"{concepts}/top", body).JsonAsync();
        Assert.Equal(3, (int)saved["examples"]!);
        var sum = await serving.Http.SendAsync(HttpMethod.Post, "models/with-latents/arithmetic",
            """{"terms": [{"concept": "top"}]}""".Json(), "application/json").JsonAsync();
        Assert.Equal([0.5f, 0, 0, 0], Numbers(sum["latent"]));

        using var deleted = await serving.Http.SendAsync(HttpMethod.Delete, $"{concepts}/top");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Empty((await serving.Http.SendAsync(HttpMethod.Get, concepts).JsonAsync())["concepts"]!.AsArray());
        await serving.Http.SendAsync(HttpMethod.Delete, $"{concepts}/top").ProblemAsync(404);
    }

    [Fact]
    public async Task A_published_concept_is_not_deleted() =>
        Assert.Contains("only saved concepts can be deleted", await serving.Http
            .SendAsync(HttpMethod.Delete, $"{Tiny}/concepts/bright").ProblemAsync(409), StringComparison.Ordinal);

    [Fact]
    public async Task A_manifold_rises_to_the_right_and_to_the_top_in_equal_probability()
    {
        var answer = await serving.Http.SendAsync(HttpMethod.Get, $"{Tiny}/manifold?n=3&x=1&y=3", accept: "application/json")
            .JsonAsync();
        var corner = Numbers(answer["images"]![2]!["latent"]);
        Assert.Equal([0, (float)Manifold.InverseNormal(5 / 6.0), 0, (float)Manifold.InverseNormal(5 / 6.0)], corner);
        var sheet = await serving.Http.SendAsync(HttpMethod.Get, $"{Tiny}/manifold?n=5").PngAsync();
        Assert.Equal(52, sheet.Width);
    }

    [Fact]
    public async Task An_image_that_does_not_come_back_is_anomalous_and_the_heat_map_shows_where()
    {
        // Bands survive; a chequered band does not.
        var pixels = ImageCodec.Decode(Pictures.Bands(100, 100, 100, 100)).Pixels;
        for (var i = 0; i < 48; i++)
            pixels[i] = (byte)(i / 3 % 2 * 200);
        var odd = ImageCodec.EncodePng(new Image(TinyModel.Shape, pixels));
        var answer = await PostAsync("anomaly", new { images = new[] { Light, odd } }, "application/json").JsonAsync();
        Assert.Equal(["ordinary", "anomalous"], answer["images"]!.AsArray().Select(image => (string)image!["verdict"]!));
        Assert.Equal(1, (double)answer["images"]![1]!["percentile"]!);
        var map = Picture(answer["images"]![1]!["heatMap"]);
        Assert.True(map.Pixels[0] > 0 && map.Pixels[^1] == 0);
        var pictures = await PostAsync("anomaly", new { images = new[] { Light, odd } }, "image/png");
        Assert.Equal("ordinary, anomalous", pictures.Header("X-Verdict"));
    }

    [Fact]
    public async Task An_anomaly_comes_with_its_reconstruction_and_the_heat_over_the_image()
    {
        var answer = await PostAsync("anomaly", new { images = new[] { Light } }, "application/json").JsonAsync();
        Assert.Equal(Greys(await PostAsync("reconstruct", new { images = new[] { Light } }).PngAsync()),
            Greys(Picture(answer["images"]![0]!["reconstruction"])));
        var overlay = Picture(answer["images"]![0]!["overlay"]);
        Assert.Equal(ImageCodec.Decode(Light).Pixels[0] / 2, overlay.Pixels[0]); // dim grey, since it comes back as it was
        var shown = await PostAsync("anomaly", new { images = new[] { Light }, show = "overlay" }, "image/png").PngAsync();
        Assert.Equal(overlay.Pixels, shown.Pixels);
    }

    [Fact]
    public async Task Inpainting_fills_the_mask_and_touches_nothing_else()
    {
        var original = ImageCodec.Decode(Pictures.Bands(40, 90, 160, 220));
        var damaged = (byte[])original.Pixels.Clone();
        var mask = new byte[64];
        for (var i = 20; i < 28; i++)
            (mask[i], damaged[3 * i]) = (255, 255);
        using var form = HttpExtensions.Form();
        form.Add(ImageCodec.EncodePng(new Image(TinyModel.Shape, damaged)).Body("image/png"), "image", "face.png");
        form.Add(ImageCodec.EncodePng(new Image(8, 8, 1, mask)).Body("image/png"), "mask", "mask.png");
        var filled = await serving.Http.SendAsync(HttpMethod.Post, $"{Tiny}/inpaint", form).PngAsync();
        for (var i = 0; i < filled.Pixels.Length; i++)
        {
            if (mask[i / 3] == 0)
                Assert.Equal(damaged[i], filled.Pixels[i]);
            else Assert.InRange(filled.Pixels[i], original.Pixels[i] - 4, original.Pixels[i] + 4);
        }
    }

    [Fact]
    public async Task Variants_stray_as_far_as_the_spread_says_and_repeat_with_the_seed()
    {
        var none = await serving.Http.SendAsync(
            HttpMethod.Post, $"{Tiny}/augment?count=2&spread=0", Dark.Body("image/png"), "application/json").JsonAsync();
        Assert.All(none["images"]!.AsArray(), image => Assert.Equal([51, 51, 51, 51], Greys(Picture(image!["png"]))));
        // By chance alone, one seed in a hundred strays further than is allowed below.
        var known = await serving.Http.SendAsync(
            HttpMethod.Post, $"{Tiny}/augment?count=200&seed=1", Dark.Body("image/png"), "application/json").JsonAsync();
        var strays = known["images"]!.AsArray().SelectMany(image => Numbers(image!["latent"]))
            .Select(value => value + 0.3).ToArray();
        // The version says nothing of its codes' spread, which is then that of N(0, I): half of it, a fifth of the variance, is
        // new.
        var mean = strays.Average();
        Assert.Equal(0.3 - 0.3 / Math.Sqrt(1.25), mean, 0.05);
        Assert.Equal(Math.Sqrt(0.2), Math.Sqrt(strays.Average(value => (value - mean) * (value - mean))), 0.03);
        using var first = await serving.Http.SendAsync(
            HttpMethod.Post, $"{Tiny}/augment?count=200", Dark.Body("image/png"), "application/json");
        var answer = await Task.FromResult(first).JsonAsync();
        var again = await serving.Http.SendAsync(
            HttpMethod.Post, $"{Tiny}/augment?count=200&seed={first.Header("X-Seed")}", Dark.Body("image/png"),
            "application/json").JsonAsync();
        Assert.Equal(answer.ToJsonString(), again.ToJsonString());
    }

    [Fact]
    public async Task A_model_tested_with_a_handful_of_images_says_their_number_and_gives_no_verdict()
    {
        var many = Enumerable.Range(0, 99).ToDictionary(i => $"0.{i:00}", _ => 0.5);
        await TinyModel.ServeAsync(serving.Registry, "of-a-handful", "v1", change: manifest => manifest with
        {
            Data = new("none", "none", 100, 99),
            Anomaly = new(many),
        });
        var answer = await serving.Http.SendAsync(
            HttpMethod.Post, "models/of-a-handful/anomaly", Dark.Body("image/png"), "application/json").JsonAsync();
        var image = answer["images"]![0]!;
        Assert.Equal(("not calibrated", 99), ((string)image["verdict"]!, (int)image["calibratedOn"]!));
        Assert.Null(image["percentile"]);
        Assert.Equal("The version was tested with 99 images; a verdict takes 100 or more, which is a tenth of about 1,000 images "
            + "to train with.", (string)image["reason"]!);
    }

    [Theory]
    [InlineData("data:image/png;base64,")]
    [InlineData("data:image/jpg;base64,")]
    [InlineData("DATA:;name=a.png;Base64,")]
    public async Task An_image_may_be_a_data_url(string prefix)
    {
        var body = $$"""{"images": ["{{prefix}}{{Convert.ToBase64String(Dark)}}"]}""";
        await serving.Http.SendAsync(HttpMethod.Post, $"{Tiny}/reconstruct", body.Json()).PngAsync();
    }

    [Fact]
    public async Task A_concept_is_found_by_its_labels_own_spelling_and_the_answer_says_which_was_used()
    {
        var body = $$"""{"image": "{{Convert.ToBase64String(Dark)}}", "concepts": { " Bright": 1 } }""";
        using var answer = await serving.Http.SendAsync(HttpMethod.Post, $"{Tiny}/edit", body.Json());
        Assert.Equal("bright", answer.Header("X-Concept"));
        Assert.Contains("no concept \"brigth\"", await serving.Http.SendAsync(
            HttpMethod.Post, $"{Tiny}/edit", body.Replace(" Bright", "brigth", StringComparison.Ordinal).Json())
            .ProblemAsync(404), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_conditional_model_takes_labels_by_name_or_number()
    {
        const string path = $"models/{ServingFixture.Labelled}";
        var bright = await serving.Http.SendAsync(
            HttpMethod.Post, $"{path}/decode", """{"latents": [0, 0, 0, 0], "label": "bright"}""".Json()).PngAsync();
        Assert.Equal(255, bright.Pixels[0]);
        var both = await serving.Http.SendAsync(
            HttpMethod.Post, $"{path}/decode", """{"latents": [[0, 0, 0, 0], [0, 0, 0, 0]], "label": [1, 0]}""".Json(),
            "application/json").JsonAsync();
        Assert.Equal([255, 128], both["images"]!.AsArray().Select(image => (int)Picture(image!["png"]).Pixels[0]));
        var encoded = await serving.Http.SendAsync(HttpMethod.Post, $"{path}/encode?label=bright", Light.Body("image/png"))
            .JsonAsync();
        Assert.Equal(-0.2f, Numbers(encoded["images"]![0]!["mean"])[0], 1e-5);
        var samples = await serving.Http.SendAsync(HttpMethod.Get, $"{path}/sample?count=3&seed=1", accept: "application/json")
            .JsonAsync();
        Assert.Equal([0, 1, 0], samples["images"]!.AsArray().Select(image => (int)image!["label"]!));
        Assert.Contains("plain, bright", await serving.Http.SendAsync(HttpMethod.Post, $"{path}/encode", Light.Body("image/png"))
            .ProblemAsync(400), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_without_a_prior_does_all_but_draw()
    {
        const string path = $"models/{ServingFixture.WithoutPrior}";
        Assert.Contains("no prior", await serving.Http.SendAsync(HttpMethod.Get, $"{path}/sample")
            .ProblemAsync(409), StringComparison.Ordinal);
        Assert.Contains("normal prior", await serving.Http.SendAsync(HttpMethod.Get, $"{path}/manifold")
            .ProblemAsync(409), StringComparison.Ordinal);
        Assert.Equal([51, 51, 51, 51], Greys(
            await serving.Http.SendAsync(HttpMethod.Post, $"{path}/reconstruct", Dark.Body("image/png")).PngAsync()));
    }

    [Fact]
    public async Task An_image_may_be_a_blob_of_a_container_that_is_open_to_requests()
    {
        var inbox = serving.Blobs.GetBlobContainerClient("inbox");
        await inbox.CreateIfNotExistsAsync();
        await inbox.UploadBlobAsync($"{ServingFixture.Model}/by-name.png", new BinaryData(Light));
        var image = await PostAsync("reconstruct",
            new { images = new[] { $"blob:inbox/{ServingFixture.Model}/by-name.png" } }).PngAsync();
        Assert.Equal([204, 204, 204, 204], Greys(image));
        Assert.Contains("inbox, results",
            await PostAsync("reconstruct", new { images = new[] { "blob:models/tiny/v1/manifest.json" } })
            .ProblemAsync(400), StringComparison.Ordinal);
        await inbox.UploadBlobAsync($"{ServingFixture.Model}/large.png", new BinaryData(new byte[1_000_001]));
        Assert.Contains("1000000 bytes",
            await PostAsync("reconstruct", new { images = new[] { $"blob:inbox/{ServingFixture.Model}/large.png" } })
            .ProblemAsync(413), StringComparison.Ordinal);
        Assert.Contains("no blob", await PostAsync("reconstruct", new { images = new[] { "blob:inbox/absent.png" } })
            .ProblemAsync(400), StringComparison.Ordinal);
    }
}
