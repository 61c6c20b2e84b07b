using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using VaeFunctions.Imaging;
using VaeFunctions.Latent;
using VaeFunctions.Models;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests;

/// <summary>What the functions make of models that are more, or less, than a VAE: with labels, without a prior, with a prior of
/// codes.</summary>
[Collection(Serving.Name)]
public sealed class ServedFamilyTests(ServingFixture serving)
{
    static readonly string[] Labels = ["cat", "dog", "owl"];

    static readonly ImageShape Grey = new(8, 8, 1);

    static readonly byte[] Picture = Pictures.Grey(8, 8);

    Task<string> ServeAsync(string name, ModelOptions options, params string[] labels) =>
        ServeAsync(name, options, null, null, labels);

    async Task<string> ServeAsync(
        string name, ModelOptions options, LatentDensity? density, AnomalyCalibration? anomaly, string[] labels)
    {
        if (await serving.Registry.ReadCurrentAsync(name) is not null)
            return $"models/{name}";
        var model = options.Build(1);
        var files = new Dictionary<string, BinaryData>
        {
            ["encoder.onnx"] = PublishedGraphs.Encoder(model),
            ["decoder.onnx"] = PublishedGraphs.Decoder(model),
        };
        if (model is IAutoregressive quantised)
        {
            files["prior.onnx"] = PublishedGraphs.Prior(quantised);
            files["density.onnx"] = PublishedGraphs.Density(quantised, model.LatentSize);
        }
        if (density is not null)
        {
            model.Density = density;
            files["prior.onnx"] = PublishedGraphs.Prior(density);
            files["density.onnx"] = PublishedGraphs.Density(density);
            files[PrincipalAxes.FileName] = new PrincipalAxes([5, 0, 0], [[0, 1, 0], [0, 0, 1]], [2, 1]).Write();
        }
        var manifest = new Manifest
        {
            Model = name,
            Version = "v1",
            Kind = options.Kind,
            Created = DateTimeOffset.UnixEpoch,
            Image = model.Image,
            LatentSize = model.LatentSize,
            Loss = "none",
            Conditional = model.Classes > 0,
            Prior = model.Prior,
            Labels = labels is [] ? Labels : labels,
            Recipe = JsonDocument.Parse("{}").RootElement,
            Data = new("none", "none", 1000, 100),
            Anomaly = anomaly,
        };
        await serving.Registry.PublishAsync(manifest, files);
        await serving.Registry.PromoteAsync(name, "v1", "test", null);
        return $"models/{name}";
    }

    static readonly MlpVaeOptions OfThreeLabels = new()
    {
        Image = Grey,
        Hidden = [16],
        Latent = 3,
        Classes = 3,
        Likelihood = new BernoulliOptions(),
        Initialization = new VaeFunctions.Models.Layers.NormalInitialization { Deviation = 1 },
    };

    Task<string> ConditionalAsync() => ServeAsync("conditional", OfThreeLabels);

    [Fact]
    public async Task A_label_chooses_what_is_sampled_and_labels_take_turns_without_one()
    {
        var path = await ConditionalAsync();
        var byName = await serving.Http.SendAsync(HttpMethod.Get, $"{path}/sample?count=4&seed=1&label=owl")
            .BytesAsync("image/png");
        var byNumber = await serving.Http.SendAsync(
            HttpMethod.Post, $"{path}/sample", """{"count": 4, "seed": 1, "label": "index:2"}""".Json()).BytesAsync("image/png");
        var another = await serving.Http.SendAsync(HttpMethod.Get, $"{path}/sample?count=4&seed=1&label=cat")
            .BytesAsync("image/png");
        Assert.Equal(byName, byNumber);
        Assert.NotEqual(byName, another);
        var inTurn = await serving.Http.SendAsync(HttpMethod.Get, $"{path}/sample?count=4&seed=1", accept: "application/json")
            .JsonAsync();
        Assert.Equal([0, 1, 2, 0], inTurn["images"]!.AsArray().Select(image => (int)image!["label"]!));
    }

    [Fact]
    public async Task A_label_is_needed_to_reconstruct_and_changes_the_answer()
    {
        var path = await ConditionalAsync();
        var cat = await serving.Http.SendAsync(HttpMethod.Post, $"{path}/reconstruct?label=cat", Picture.Body("image/png"))
            .BytesAsync("image/png");
        var owl = await serving.Http.SendAsync(HttpMethod.Post, $"{path}/reconstruct?label=index:2", Picture.Body("image/png"))
            .BytesAsync("image/png");
        Assert.NotEqual(cat, owl);
        var catAsOwl = await serving.Http.SendAsync(
            HttpMethod.Post, $"{path}/reconstruct?label=cat&as=owl", Picture.Body("image/png")).BytesAsync("image/png");
        Assert.NotEqual(cat, catAsOwl);
        Assert.NotEqual(owl, catAsOwl); // the latent is the cat's
        Assert.Contains("There is no label \"bat\"", await Problem("reconstruct?label=cat&as=bat", 400));
        Assert.Contains("none was given; give one by name: cat, dog, owl; or by number, from index:0 to index:2",
            await Problem("reconstruct", 400));
        Assert.Contains("There is no label \"index:3\"; give one by name", await Problem("reconstruct?label=index:3", 400));
        Assert.Contains("There is no label \"bat\"", await Problem("reconstruct?label=bat", 400));
        Assert.Contains("2 labels for 1 image;", await Problem("reconstruct?label=cat,owl", 400));
        // They are counted before they are looked up.
        Assert.Contains("2 labels for 1 image;", await Problem("reconstruct?label=cat,bat", 400));
        Assert.Contains("There is no label \"-1\"", await serving.Http.SendAsync(HttpMethod.Get, $"{path}/sample?label=-1")
            .ProblemAsync(400));

        Task<string> Problem(string action, int status) =>
            serving.Http.SendAsync(HttpMethod.Post, $"{path}/{action}", Picture.Body("image/png")).ProblemAsync(status);
    }

    [Fact]
    public async Task A_label_that_looks_like_a_number_is_a_name_and_an_index_is_asked_for_as_one()
    {
        var path = await ServeAsync("numbered", OfThreeLabels, "1", "2", "10");
        Assert.Equal("1", await LabelAsync("label=1"));
        Assert.Equal("10", await LabelAsync("label=10"));
        Assert.Equal("2", await LabelAsync("label=index:1"));
        Assert.Equal("10, 1", await LabelAsync("label=10,1", count: 2));
        foreach (var wrong in (string[])["0", "01", "3", "+1", "index:3", "index:-1", "index:01x"])
            Assert.Contains($"There is no label \"{wrong}\"; give one by name: 1, 2, 10", await serving.Http.SendAsync(
                HttpMethod.Get, $"{path}/sample?label={Uri.EscapeDataString(wrong)}").ProblemAsync(400));
        Assert.Contains("There is no label \"0\"", await serving.Http.SendAsync(
            HttpMethod.Post, $"{path}/sample", """{"label": 0}""".Json()).ProblemAsync(400));
        var json = await serving.Http.SendAsync(HttpMethod.Post, $"{path}/sample", """{"count": 1, "label": 10}""".Json(),
            "application/json").JsonAsync();
        Assert.Equal((2, "10"), ((int)json["images"]![0]!["label"]!, (string)json["images"]![0]!["labelName"]!));

        async Task<string> LabelAsync(string query, int count = 1)
        {
            using var answer = await serving.Http.SendAsync(HttpMethod.Get, $"{path}/sample?count={count}&{query}");
            return answer.Header("X-Label");
        }
    }

    [Fact]
    public async Task A_number_is_an_index_only_where_no_label_is_called_like_one()
    {
        var path = await ConditionalAsync();
        Assert.Contains("There is no label \"2\"", await serving.Http.SendAsync(HttpMethod.Get, $"{path}/sample?label=2")
            .ProblemAsync(400)); // a text is a name
        using var answer = await serving.Http.SendAsync(HttpMethod.Post, $"{path}/sample", """{"label": 2}""".Json());
        Assert.Equal("owl", answer.Header("X-Label"));
    }

    [Fact]
    public async Task Labels_that_look_alike_are_found_in_either_form_and_the_answer_says_which_was_used()
    {
        var path = await ServeAsync("alike", OfThreeLabels, "cafe\u0301", "Cat", "a, b");
        Assert.Equal(Uri.EscapeDataString("cafe\u0301"), await LabelAsync("caf\u00E9"));
        Assert.Equal("Cat", await LabelAsync(" cat"));
        Assert.Equal(Uri.EscapeDataString("a, b"), await LabelAsync("a, b"));
        var both = await ServeAsync("both-cases", OfThreeLabels, "Cat", "cat", "dog");
        Assert.Contains("could be the label \"Cat\" or \"cat\", which differ in the case of letters",
            await serving.Http.SendAsync(HttpMethod.Get, $"{both}/sample?label=CAT").ProblemAsync(400));

        async Task<string> LabelAsync(string label)
        {
            using var answer =
                await serving.Http.SendAsync(HttpMethod.Get, $"{path}/sample?count=1&label={Uri.EscapeDataString(label)}");
            return answer.Header("X-Label");
        }
    }

    [Fact]
    public async Task A_model_without_labels_refuses_one()
    {
        const string tiny = $"models/{ServingFixture.Model}";
        Assert.Contains("not conditional", await serving.Http.SendAsync(HttpMethod.Get, $"{tiny}/sample?label=1")
            .ProblemAsync(400));
        Assert.Contains("not conditional",
            await serving.Http.SendAsync(HttpMethod.Post, $"{tiny}/reconstruct?label=1", Picture.Body("image/png"))
            .ProblemAsync(400));
    }

    [Fact]
    public async Task A_plain_autoencoder_reconstructs_but_says_why_it_cannot_be_sampled()
    {
        var path = await ServeAsync("plain-ae",
            new MlpAutoencoderOptions { Image = Grey, Hidden = [16], Latent = 3, Likelihood = new SquaredErrorOptions() });
        await serving.Http.SendAsync(HttpMethod.Post, $"{path}/reconstruct", Picture.Body("image/png")).PngAsync();
        var problem = await serving.Http.SendAsync(HttpMethod.Get, $"{path}/sample").ProblemAsync(409);
        Assert.Contains("nothing says which of its codes are likely", problem);
        Assert.Contains("prior", problem);
    }

    /// <summary>A model whose codes lie around (5, 0, 0): half of them at a first coordinate of 4, half at 6.</summary>
    Task<string> FittedAsync()
    {
        var mixture = (GaussianMixture)new GaussianMixtureOptions { Latent = 3, Components = 2, Rank = 3 }.Build(1);
        double[,] identity = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } }, small = { { 0.1, 0, 0 }, { 0, 0.1, 0 }, { 0, 0, 0.1 } };
        mixture.Assign([5, 0, 0], identity, [(1, [-1, 0, 0], small), (1, [1, 0, 0], small)], []);
        Dictionary<string, double> errors = new() { ["0.5"] = 2, ["0.95"] = 3 }; // no image comes back worse than by 1
        Dictionary<string, double> codes = new() { ["0"] = -10, ["0.5"] = -5, ["0.95"] = 0, ["0.99"] = 2 };
        Dictionary<string, double> joint = new() { ["0"] = -2, ["0.95"] = 1, ["0.99"] = 2 };
        var options = new MlpVaeOptions { Image = Grey, Hidden = [16], Latent = 3, Likelihood = new BernoulliOptions() };
        return ServeAsync("fitted", options, mixture, new(errors) { Codes = codes, Joint = joint }, []);
    }

    [Fact]
    public async Task What_was_fitted_to_codes_is_drawn_from_and_temperature_0_gives_its_means()
    {
        var path = await FittedAsync();
        var few = await SampleAsync("count=2");
        var many = await SampleAsync("count=70");
        for (var i = 0; i < 2; i++)
            Assert.Equal(few["images"]![i]!.ToJsonString(), many["images"]![i]!.ToJsonString());
        Assert.All(many["images"]!.AsArray(), image => Assert.Equal(1, Math.Abs((float)image!["latent"]![0]! - 5), 0.5));
        var means = await SampleAsync("count=70&temperature=0");
        Assert.Equal([4, 6], means["images"]!.AsArray().Select(image => (float)image!["latent"]![0]!).Distinct().Order());

        Task<JsonNode> SampleAsync(string query) =>
            serving.Http.SendAsync(HttpMethod.Get, $"{path}/sample?{query}&seed=5", accept: "application/json").JsonAsync();
    }

    [Fact]
    public async Task A_code_of_another_world_is_anomalous_however_well_its_image_comes_back()
    {
        var path = await FittedAsync();
        var answer = await serving.Http.SendAsync(
            HttpMethod.Post, $"{path}/anomaly", Picture.Body("image/png"), "application/json").JsonAsync();
        var image = answer["images"]![0]!;
        Assert.True((double)image["percentile"]! < 0.5, image.ToJsonString()); // its reconstruction is ordinary
        Assert.True((double)image["codeScore"]! > 100, image.ToJsonString()); // its code lies near 0, far from all others
        Assert.Equal((1, "anomalous"), ((double)image["codePercentile"]!, (string)image["verdict"]!));
        Assert.Equal("code", (string)image["strangest"]!);
    }

    [Fact]
    public async Task An_image_without_contrast_among_images_that_have_it_is_anomalous_by_that()
    {
        Dictionary<string, double> ordinary = new() { ["0.05"] = 0, ["0.5"] = 2, ["0.95"] = 3 };
        Dictionary<string, double> joint = new() { ["0"] = 0, ["0.95"] = 1, ["0.99"] = 1.5 };
        var options = new MlpVaeOptions { Image = Grey, Hidden = [16], Latent = 3, Likelihood = new BernoulliOptions() };
        var path = await ServeAsync("contrasts", options, null, new(ordinary)
        {
            Traits = new Dictionary<string, IReadOnlyDictionary<string, double>>
            {
                ["contrast"] = new Dictionary<string, double> { ["0.05"] = 3, ["0.5"] = 4, ["0.95"] = 5 },
            },
            Joint = joint,
        }, []);
        var flat = ImageCodec.EncodePng(new(Grey, [.. Enumerable.Repeat((byte)99, Grey.Size)]));
        var answer = await serving.Http.SendAsync(
            HttpMethod.Post, $"{path}/anomaly", flat.Body("image/png"), "application/json").JsonAsync();
        var image = answer["images"]![0]!;
        Assert.Equal(("anomalous", "contrast"), ((string)image["verdict"]!, (string)image["strangest"]!));
        Assert.Null(image["codePercentile"]); // the version has no quantiles of codes

        await serving.Registry.Store.WriteAsync("results/contrasts/flat.png", new(flat));
        var job = new { operation = "anomaly", input = "results/contrasts/", output = "results/judged/" };
        using var started = await serving.Http.SendAsync(HttpMethod.Post, $"{path}/jobs", JsonSerializer.Serialize(job).Json());
        Assert.True(started.StatusCode == HttpStatusCode.Accepted, await started.Content.ReadAsStringAsync());
        await Eventually.Async(async () =>
        {
            var written = await serving.Registry.Store.TryReadAsync("results/judged/flat.png.json", 1 << 20);
            Assert.NotNull(written);
            Assert.Equal("contrast", (string)JsonNode.Parse(written.Content)!["strangest"]!);
        }, 90);
    }

    [Fact]
    public async Task A_manifold_goes_along_the_codes_axes_around_their_mean_or_an_image()
    {
        var path = await FittedAsync();
        var edge = (float)Manifold.InverseNormal(5 / 6.0);
        var around = await serving.Http.SendAsync(HttpMethod.Get, $"{path}/manifold?n=3", accept: "application/json").JsonAsync();
        Assert.Equal([5, 2 * edge, edge], Vector(around, 2));
        var body = $$"""{"n": 3, "x": 1, "y": 0, "image": "{{Convert.ToBase64String(Picture)}}"}""";
        var image =
            await serving.Http.SendAsync(HttpMethod.Post, $"{path}/manifold", body.Json(), "application/json").JsonAsync();
        var encoded = await serving.Http.SendAsync(HttpMethod.Post, $"{path}/encode", Picture.Body("image/png")).JsonAsync();
        var mean = encoded["images"]![0]!["mean"]!.AsArray().Select(value => (float)value!).ToArray();
        Assert.All(Vector(image, 4).Zip(mean), pair => Assert.Equal(pair.Second, pair.First, 1e-5));
        Assert.Equal(mean[2] + edge, Vector(image, 5)[2], 1e-5); // to the right, along the second axis
        Assert.Contains("both an image and a seed", await serving.Http.SendAsync(
            HttpMethod.Post, $"{path}/manifold",
            body.Replace("{\"n\"", "{\"seed\": 1, \"n\"", StringComparison.Ordinal).Json()).ProblemAsync(400));
        Assert.Contains("from 0 to 1", await serving.Http.SendAsync(HttpMethod.Get, $"{path}/manifold?x=2").ProblemAsync(400));

        static float[] Vector(System.Text.Json.Nodes.JsonNode answer, int place) =>
            [.. answer["images"]![place]!["latent"]!.AsArray().Select(value => (float)value!)];
    }

    [Fact]
    public async Task Samples_of_a_grey_model_are_grey_pictures()
    {
        var sheet = await serving.Http.SendAsync(HttpMethod.Get, $"{await FittedAsync()}/sample?count=4&seed=1").PngAsync();
        Assert.Equal(1, sheet.Channels);
    }

    [Fact]
    public async Task A_prior_of_codes_is_sampled_code_by_code_the_same_for_the_same_seed()
    {
        var path = await ServeAsync("codes", new VqVaeOptions
        {
            Image = Grey,
            Channels = [6],
            Blocks = 0,
            Codes = 7,
            Depth = 2,
            PriorChannels = 6,
            PriorBlocks = 1,
            Likelihood = new BernoulliOptions(),
            Initialization = new VaeFunctions.Models.Layers.NormalInitialization { Deviation = 1 },
        });
        var few = await serving.Http.SendAsync(HttpMethod.Get, $"{path}/sample?count=2&seed=5", accept: "application/json")
            .JsonAsync();
        var many = await serving.Http.SendAsync(HttpMethod.Get, $"{path}/sample?count=70&seed=5", accept: "application/json")
            .JsonAsync();
        for (var i = 0; i < 2; i++)
            Assert.Equal(few["images"]![i]!.ToJsonString(), many["images"]![i]!.ToJsonString());
        Assert.True(many["images"]!.AsArray().Select(image => (string)image!["png"]!).Distinct().Count() > 10);
        await serving.Http.SendAsync(HttpMethod.Post, $"{path}/reconstruct", Picture.Body("image/png")).PngAsync();
    }

    [Fact]
    public async Task What_is_dropped_for_a_conditional_model_lies_in_a_folder_of_its_label()
    {
        await ConditionalAsync();
        await DropAsync("conditional/owl/a.png");
        await Eventually.Async(async () =>
            Assert.NotNull(await serving.Registry.Store.TryReadAsync("results/conditional/owl/a.png.json", 1 << 20)));
        Assert.Contains("\"label\":\"owl\"",
            (await serving.Registry.Store.TryReadAsync("results/conditional/owl/a.png.json", 1 << 20))!.Content.ToString());
        await DropAsync("conditional/2/a.png"); // a folder's name is a name, even one that looks like a number
        Assert.Contains("There is no label", await RejectionAsync("conditional/2/a.png"));
        await DropAsync("conditional/bat/a.png");
        await DropAsync("conditional/a.png");
        Assert.Contains("There is no label", await RejectionAsync("conditional/bat/a.png"));
        Assert.Contains("inbox/MODEL/LABEL/", await RejectionAsync("conditional/a.png"));

        Task DropAsync(string name) => serving.Registry.Store.WriteAsync($"inbox/{name}", new(Picture));

        async Task<string> RejectionAsync(string name)
        {
            await Eventually.Async(async () =>
                Assert.NotNull(await serving.Registry.Store.TryReadAsync($"rejected/{name}.json", 1 << 20)));
            return (await serving.Registry.Store.TryReadAsync($"rejected/{name}.json", 1 << 20))!.Content.ToString();
        }
    }
}
