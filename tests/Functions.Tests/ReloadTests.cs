namespace VaeFunctions.Tests;

/// <summary>What serves follows current.json; each test has a model of its own.</summary>
[Collection(Serving.Name)]
public sealed class ReloadTests(ServingFixture serving)
{
    [Fact]
    public async Task A_model_published_while_the_server_runs_serves_at_once()
    {
        await TinyModel.ServeAsync(serving.Registry, "newcomer", "v1");
        Assert.Equal("v1", await VersionAsync("newcomer"));
        // Why it is not the GPU stands there too.
        await Eventually.Async(() =>
        {
            Assert.Matches(@"Model newcomer: version v1 serves on (GPU 0|the CPU \(.+\))", serving.Log);
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task Moving_the_pointer_changes_what_serves_and_rolling_back_changes_it_back()
    {
        await TinyModel.ServeAsync(serving.Registry, "moving", "v1");
        Assert.Equal(128, await GreyAsync("moving"));

        await TinyModel.ServeAsync(serving.Registry, "moving", "v2", decoder: TinyModel.Decoder(shift: 0.25f));
        await Eventually.Async(async () => Assert.Equal("v2", await VersionAsync("moving")));
        Assert.Equal(191, await GreyAsync("moving")); // 255 · (½ + ¼) = 191.25

        await serving.Registry.RollbackAsync("moving");
        await Eventually.Async(async () => Assert.Equal("v1", await VersionAsync("moving")));
        Assert.Equal(128, await GreyAsync("moving"));
    }

    public static TheoryData<string, byte[]?, byte[]?> BrokenVersions => new()
    {
        { "no graph", "this is not ONNX"u8.ToArray(), null },
        { "the graphs exchanged", TinyModel.Decoder(), TinyModel.Encoder() },
        { "a decoder in place of the encoder", TinyModel.Decoder(), null },
    };

    [Theory]
    [MemberData(nameof(BrokenVersions))]
    public async Task A_broken_version_is_refused_and_the_old_one_keeps_serving(string what, byte[]? encoder, byte[]? decoder)
    {
        var model = "broken-" + what.Replace(' ', '-');
        await TinyModel.ServeAsync(serving.Registry, model, "v1");
        Assert.Equal("v1", await VersionAsync(model));

        await TinyModel.ServeAsync(serving.Registry, model, "v2", encoder, decoder);
        await RefusedAsync(model);
        Assert.Equal("v1", await VersionAsync(model));

        await TinyModel.ServeAsync(serving.Registry, model, "v3");
        await Eventually.Async(async () => Assert.Equal("v3", await VersionAsync(model)));
    }

    [Fact]
    public async Task A_version_with_a_damaged_file_is_refused_once_and_the_old_one_keeps_serving()
    {
        await TinyModel.ServeAsync(serving.Registry, "damaged", "v1");
        Assert.Equal("v1", await VersionAsync("damaged"));

        var whole = await DamageAndPointToAsync("damaged", "v2");

        Assert.Contains("SHA-256", await RefusedAsync("damaged"), StringComparison.Ordinal);
        await Task.Delay(500); // several looks at the pointer
        Assert.Equal("v1", await VersionAsync("damaged"));
        Assert.Equal(1, serving.Log.Split('\n')
            .Count(line => line.Contains("Model damaged: a new version is refused", StringComparison.Ordinal)));

        // Mended in its place, it serves without another promotion.
        await serving.Registry.Store.WriteAsync("models/damaged/v2/decoder.onnx", whole);
        await Eventually.Async(async () => Assert.Equal("v2", await VersionAsync("damaged")));
    }

    [Fact]
    public async Task A_version_that_failed_is_tried_again_when_nothing_else_serves()
    {
        var whole = await DamageAndPointToAsync("mended", "v1");
        Assert.Contains("SHA-256", await serving.Http.SendAsync(HttpMethod.Get, "models/mended/sample").ProblemAsync(503),
            StringComparison.Ordinal);
        await serving.Registry.Store.WriteAsync("models/mended/v1/decoder.onnx", whole);
        await Eventually.Async(async () => Assert.Equal("v1", await VersionAsync("mended")));
    }

    [Theory]
    [InlineData("current.json")]
    [InlineData("v2/manifest.json")]
    public async Task Beside_what_is_damaged_a_model_is_shown_with_what_serves_and_the_refusal(string file)
    {
        var model = "shown-" + file[..2];
        await TinyModel.ServeAsync(serving.Registry, model, "v1");
        Assert.Equal("v1", await VersionAsync(model));
        await TinyModel.PublishAsync(serving.Registry, model, "v2");
        await serving.Registry.Store.WriteAsync($"models/{model}/{file}", BinaryData.FromString("{"));
        if (file != "current.json")
            await WritePointerAsync(model, "v2");

        var answer = await serving.Http.SendAsync(HttpMethod.Get, $"models/{model}").JsonAsync();
        Assert.Equal("v1", (string)answer["serving"]!);
        Assert.Equal(file == "current.json" ? null : "v2", (string?)answer["current"]);
        Assert.Equal("v1", (string)answer["manifest"]!["version"]!);
        Assert.Contains($"models/{model}/{file}", (string)answer["refusal"]!, StringComparison.Ordinal);
        var versions = await serving.Http.SendAsync(HttpMethod.Get, $"models/{model}/versions").JsonAsync();
        Assert.Equal(["v2", "v1"], versions["versions"]!.AsArray().Select(version => (string)version!));
        Assert.Equal("v1", await VersionAsync(model));
    }

    [Fact]
    public async Task A_model_whose_only_version_is_broken_is_unavailable_with_the_reason()
    {
        await TinyModel.ServeAsync(serving.Registry, "hopeless", "v1", encoder: [1, 2, 3]);
        Assert.Contains("hopeless", await serving.Http.SendAsync(HttpMethod.Get, "models/hopeless/sample")
            .ProblemAsync(503), StringComparison.Ordinal);
        var ready = await serving.Http.SendAsync(HttpMethod.Get, "health/ready");
        Assert.Equal(503, (int)ready.StatusCode);
        Assert.Contains("hopeless", await ready.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        // Mended, so that the other tests find the server ready.
        await TinyModel.ServeAsync(serving.Registry, "hopeless", "v2");
        await Eventually.Async(async () => Assert.Equal("v2", await VersionAsync("hopeless")));
    }

    [Fact]
    public async Task Requests_never_fail_while_versions_change()
    {
        await TinyModel.ServeAsync(serving.Registry, "busy", "v0");
        await VersionAsync("busy");
        using var enough = new CancellationTokenSource();
        var callers = Enumerable.Range(0, 4).Select(async _ =>
        {
            var seen = new HashSet<string>();
            while (!enough.IsCancellationRequested)
                seen.Add(await VersionAsync("busy"));
            return seen;
        }).ToList();
        for (var version = 1; version <= 4; version++)
        {
            await TinyModel.ServeAsync(serving.Registry, "busy", $"v{version}");
            await Eventually.Async(async () => Assert.Equal($"v{version}", await VersionAsync("busy")));
        }
        await enough.CancelAsync();
        var all = (await Task.WhenAll(callers)).SelectMany(seen => seen).ToHashSet();
        Assert.True(all.Count > 1, "the callers saw only one version");
    }

    [Fact]
    public async Task A_model_whose_pointer_is_gone_serves_no_more()
    {
        await TinyModel.ServeAsync(serving.Registry, "retired", "v1");
        Assert.Equal("v1", await VersionAsync("retired"));
        await serving.Registry.Store.DeleteAsync("models/retired/current.json");
        await Eventually.Async(async () =>
            await serving.Http.SendAsync(HttpMethod.Get, "models/retired/sample").ProblemAsync(404));
    }

    /// <summary>Publishes a version, flips a bit of its decoder and points to it, which no promotion would do; gives the decoder
    /// as it was.</summary>
    async Task<BinaryData> DamageAndPointToAsync(string model, string version)
    {
        await TinyModel.PublishAsync(serving.Registry, model, version);
        var damaged = TinyModel.Decoder();
        damaged[^1] ^= 1;
        await serving.Registry.Store.WriteAsync($"models/{model}/{version}/decoder.onnx", new BinaryData(damaged));
        await WritePointerAsync(model, version);
        return new BinaryData(TinyModel.Decoder());
    }

    /// <summary>A pointer as an earlier build wrote it.</summary>
    Task<string> WritePointerAsync(string model, string version) => serving.Registry.Store.WriteAsync(
        $"models/{model}/current.json",
        BinaryData.FromString($$"""{ "version": "{{version}}", "changed": "2026-01-01T00:00:00Z", "reason": "test" }"""));

    async Task<string> VersionAsync(string model)
    {
        using var response = await serving.Http.SendAsync(HttpMethod.Get, $"models/{model}/sample?count=1");
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return response.Header("X-Version");
    }

    async Task<byte> GreyAsync(string model) =>
        (await serving.Http.SendAsync(HttpMethod.Get, $"models/{model}/sample?count=1&temperature=0").PngAsync()).Pixels.Min();

    async Task<string> RefusedAsync(string model)
    {
        var refusal = "";
        await Eventually.Async(async () =>
        {
            var answer = await serving.Http.SendAsync(HttpMethod.Get, $"models/{model}").JsonAsync();
            refusal = (string)answer["refusal"]!;
            Assert.NotEmpty(refusal);
        });
        return refusal;
    }
}
