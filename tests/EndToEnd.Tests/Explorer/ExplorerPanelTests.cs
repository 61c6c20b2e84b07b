using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using VaeFunctions.Imaging;

namespace VaeFunctions.Tests;

[CollectionDefinition(Name)]
public sealed class ExplorerCollection : ICollectionFixture<ExplorerFixture>
{
    public const string Name = "explorer";
}

/// <summary>Each panel of the explorer, used as a person would, on every kind of model.</summary>
[Collection(ExplorerCollection.Name)]
public sealed class ExplorerPanelTests(ExplorerFixture fixture)
{
    public static TheoryData<string> Models =>
        [ExplorerFixture.Faces, ExplorerFixture.Labelled, ExplorerFixture.Codes, ExplorerFixture.Grey];

    async Task<ExplorerPage> OpenAsync(string model) => await (await fixture.OpenAsync(fixture.Page(model))).ReadyAsync();

    [SkippableTheory]
    [MemberData(nameof(Models))]
    public async Task The_stage_shows_another_picture_by_dice_and_the_old_one_by_undo(string model)
    {
        await using var page = await OpenAsync(model);
        var first = await page.SettledAsync();
        await page.ChangesAsync(() => page.Get("#dice").ClickAsync());
        await page.SettledAsync();
        await page.Get("#undo").ClickAsync();
        Assert.Equal(first, await page.SettledAsync());
        page.AssertClean();
    }

    [SkippableFact]
    public async Task Sliders_change_the_picture_without_asking_the_server()
    {
        await using var page = await OpenAsync(ExplorerFixture.Faces);
        await page.SettledAsync();
        var before = page.Requests.Count(request => request.Contains("/models/", StringComparison.Ordinal));
        await page.ChangesAsync(() => page.SlideAsync("#concept-hat", "ArrowRight", 12));
        Assert.Equal("+0.6", await page.Get(".slider:has(#concept-hat) output").TextContentAsync());
        Assert.Equal(before, page.Requests.Count(request => request.Contains("/models/", StringComparison.Ordinal)));
        await page.ChangesAsync(() => page.Get("#reset").ClickAsync());
        Assert.Equal("", await page.Get(".slider:has(#concept-hat) output").TextContentAsync());
        page.AssertClean();
    }

    [SkippableFact]
    public async Task A_label_draws_the_same_latent_as_something_else()
    {
        await using var page = await OpenAsync(ExplorerFixture.Labelled);
        await page.SettledAsync();
        await page.ChangesAsync(() => page.Get("#labels input").Nth(1).CheckAsync());
        page.AssertClean();
    }

    [SkippableTheory]
    [MemberData(nameof(Models))]
    public async Task A_click_on_the_map_and_its_arrow_keys_set_the_stage(string model)
    {
        await using var page = await OpenAsync(model);
        await page.SettledAsync();
        await page.ChangesAsync(() => page.Get("#map").ClickAsync());
        await page.SettledAsync();
        await page.Get("#map").FocusAsync();
        await page.ChangesAsync(() => page.Page.Keyboard.PressAsync("ArrowLeft"));
        await page.SettledAsync();
        Assert.InRange(await page.Get("#neighbours button").CountAsync(), 2, 8);
        await page.ChangesAsync(() => page.Get("#neighbours button").Nth(3).ClickAsync());
        page.AssertClean();
    }

    [SkippableFact]
    public async Task The_map_is_coloured_by_attributes_and_searched_by_label()
    {
        await using (var faces = await OpenAsync(ExplorerFixture.Faces))
        {
            await faces.ChangesAsync(() => faces.Get("#colour-by").SelectOptionAsync("hat"), "#map");
            Assert.True(await faces.Get("#legend").IsVisibleAsync());
            faces.AssertClean();
        }
        await using var labelled = await OpenAsync(ExplorerFixture.Labelled);
        await labelled.ChangesAsync(() => labelled.Get("#search").FillAsync("tall"), "#map");
        Assert.Matches("^[0-9]+ of [0-9]+$", await labelled.Get("#found").TextContentAsync());
        labelled.AssertClean();
    }

    [SkippableTheory]
    [MemberData(nameof(Models))]
    public async Task Two_groups_of_the_map_become_a_concept_that_is_kept_by_the_server(string model)
    {
        await using var page = await OpenAsync(model);
        await page.SettledAsync();
        await page.Get("#lasso").ClickAsync();
        await DrawAroundAsync(page, 0.5, 0.30);
        await page.Get("#take-group").ClickAsync(); // all the others
        await page.Get("#concept-name").FillAsync("mine");
        var saved = page.Page.WaitForResponseAsync(answer => answer.Request.Method == "PUT");
        await page.Get("#make-concept").ClickAsync();
        Assert.Equal(200, (await saved).Status);
        await page.ChangesAsync(() => page.SlideAsync("#concept-mine", "ArrowRight", 16));

        await using var other = await OpenAsync(model);
        await other.SettledAsync();
        Assert.Equal(1, await other.Get("#concept-mine").CountAsync());
        await other.Get(".slider:has(#concept-mine) button.plain").ClickAsync();
        await Assertions.Expect(other.Get("#concept-mine")).ToHaveCountAsync(0);
        page.AssertClean();
        other.AssertClean();
    }

    [SkippableTheory]
    [MemberData(nameof(Models))]
    public async Task A_picture_from_outside_comes_back_with_a_verdict_and_is_pinned(string model)
    {
        await using var page = await OpenAsync(model);
        await page.SettledAsync();
        var noise = new Random(3);
        byte[] pixels = new byte[40 * 30 * 3];
        noise.NextBytes(pixels);
        await page.TabAsync("yours");
        await page.ChangesAsync(() => page.Get("#file").SetInputFilesAsync(new FilePayload
        {
            Name = "noise.png", MimeType = "image/png", Buffer = ImageCodec.EncodePng(new Image(40, 30, 3, pixels)),
        }));
        await Assertions.Expect(page.Get("#verdict")).ToContainTextAsync("Anomalous");
        Assert.Contains(await page.PixelsAsync("#overlay-slot canvas"), value => value is > 0 and < 255);
        page.AssertClean();
    }

    [SkippableTheory]
    [MemberData(nameof(Models))]
    public async Task A_hole_that_is_painted_is_mended_and_nothing_else_changes(string model)
    {
        await using var page = await OpenAsync(model);
        await page.SettledAsync();
        await page.TabAsync("yours");
        const string canvas = "#brush-slot canvas";
        var whole = await page.PixelsAsync(canvas);
        var painted = await page.ChangesAsync(() => page.Get(canvas).ClickAsync(), canvas);
        var mended = await page.ChangesAsync(() => page.Get("#mend").ClickAsync(), canvas);
        Assert.All(Enumerable.Range(0, whole.Length).Where(i => painted[i / 4 * 4] == whole[i / 4 * 4]
            && painted[i / 4 * 4 + 1] == whole[i / 4 * 4 + 1]), i => Assert.Equal(whole[i], mended[i]));
        await page.Get("#take-mended").ClickAsync();
        page.AssertClean();
    }

    [SkippableTheory]
    [MemberData(nameof(Models))]
    public async Task A_journey_plays_is_scrubbed_and_saved(string model)
    {
        await using var page = await OpenAsync(model);
        await page.SettledAsync();
        await page.Get("#add-stop").ClickAsync();
        await page.ChangesAsync(() => page.Get("#play").ClickAsync());
        await page.Get("#play").ClickAsync();
        await Assertions.Expect(page.Get("#play")).ToHaveAttributeAsync("aria-pressed", "false");
        await page.SettledAsync();
        await page.ChangesAsync(() => page.SlideAsync("#scrub", "PageUp", 2));
        var strip = await SavedAsync(page, "#save-strip");
        Assert.Equal(9.0 * strip.Height * (model is ExplorerFixture.Grey or ExplorerFixture.Labelled ? 16.0 / 12 : 1), strip.Width, 1.0);
        var animation = await page.Page.RunAndWaitForDownloadAsync(() => page.Get("#save-animation").ClickAsync());
        var bytes = await File.ReadAllBytesAsync(await animation.PathAsync());
        Assert.Contains("acTL", System.Text.Encoding.Latin1.GetString(bytes), StringComparison.Ordinal);
        Assert.True(ImageCodec.Decode(bytes).Width > 0);
        page.AssertClean();
    }

    [SkippableFact]
    public async Task Latents_are_sorted_by_what_they_carry_and_move_the_picture()
    {
        await using var page = await OpenAsync(ExplorerFixture.Faces);
        await page.SettledAsync();
        await page.TabAsync("latents");
        var shares = await page.Page.EvaluateAsync<double[]>(
            "[...document.querySelectorAll('#latents .bar')].map(bar => parseFloat(bar.style.getPropertyValue('--share')))");
        Assert.NotEmpty(shares);
        Assert.Equal(shares.OrderDescending(), shares);
        await page.ChangesAsync(() => page.SlideAsync("#latents input >> nth=0", "ArrowRight", 20));
        page.AssertClean();
    }

    [SkippableFact]
    public async Task A_codebook_has_no_single_latents_which_is_said()
    {
        await using var page = await OpenAsync(ExplorerFixture.Codes);
        await page.TabAsync("latents");
        await Assertions.Expect(page.Get("#latents-about")).ToContainTextAsync("64 codes, each one of 16 vectors");
        page.AssertClean();
    }

    [SkippableTheory]
    [MemberData(nameof(Models))]
    public async Task Two_models_are_compared_on_the_same_picture(string model)
    {
        await using var page = await OpenAsync(model);
        await page.SettledAsync();
        await page.TabAsync("compare");
        foreach (var side in (string[])["this", "other"])
        {
            await page.WaitAsync($"document.querySelector('#{side}-slot img').naturalWidth > 0");
            await Assertions.Expect(page.Get($"#{side}-caption")).Not.ToBeEmptyAsync();
        }
        await Assertions.Expect(page.Get("#compare-says")).ToContainTextAsync("through both models");
        page.AssertClean();
    }

    [SkippableTheory]
    [MemberData(nameof(Models))]
    public async Task The_code_for_curl_gives_what_is_on_the_stage(string model)
    {
        await using var page = await OpenAsync(model);
        await page.SettledAsync();
        await page.ChangesAsync(() => page.Get("#dice").ClickAsync());
        var shown = await page.SettledAsync();
        await page.TabAsync("code");
        using var folder = new TemporaryFolder();
        var call = (await page.Get("#code").TextContentAsync())!
            .Replace("picture.png", folder.File("picture.png"), StringComparison.Ordinal);
        await using var shell = await Command.RunAsync("bash", "-c", call);
        Assert.True(shell.ExitCode == 0, shell.Output);
        AssertAlike(shown, ImageCodec.Decode(await File.ReadAllBytesAsync(folder.File("picture.png"))));
        page.AssertClean();
    }

    [SkippableFact]
    public async Task Every_language_calls_the_version_on_the_stage_with_its_latent()
    {
        await using var page = await OpenAsync(ExplorerFixture.Faces);
        await page.SettledAsync();
        await page.TabAsync("code");
        foreach (var language in (string[])["curl", "python", "javascript", "csharp"])
        {
            await page.Get("#language").SelectOptionAsync(language);
            var code = await page.Get("#code").TextContentAsync();
            Assert.Matches($"models/{ExplorerFixture.Faces}/decode\\?version=[0-9TZ]+", code);
            Assert.Contains("\"latents\":[[", code, StringComparison.Ordinal);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Models))]
    public async Task A_link_shows_the_same_picture_and_journey(string model)
    {
        await using var page = await OpenAsync(model);
        await page.SettledAsync();
        await page.ChangesAsync(() => page.Get("#dice").ClickAsync());
        await page.SettledAsync();
        if (await page.Get("#sliders input").CountAsync() > 0)
            await page.ChangesAsync(() => page.SlideAsync("#sliders input >> nth=0", "ArrowRight", 8));
        await page.Get("#add-stop").ClickAsync();
        var shown = await page.SettledAsync();
        await page.Get("#copy-link").ClickAsync();
        await using var other = await (await fixture.OpenAsync(page.Page.Url)).ReadyAsync();
        var again = await other.SettledAsync();
        Assert.True(shown.Zip(again).All(pair => Math.Abs(pair.First - pair.Second) <= 1), "the link shows another picture");
        page.AssertClean();
        other.AssertClean();
    }

    [SkippableTheory]
    [MemberData(nameof(Models))]
    public async Task A_card_is_saved_as_a_picture(string model)
    {
        await using var page = await OpenAsync(model);
        await page.SettledAsync();
        Assert.Equal(1000, (await SavedAsync(page, "#save-card")).Width);
        page.AssertClean();
    }

    /// <summary>Of the pictures of a grid of latents, at most a few bytes differ from the functions', and those by one.</summary>
    [SkippableTheory]
    [MemberData(nameof(Models))]
    public async Task The_page_and_the_functions_decode_the_same_pixels(string model)
    {
        await using var page = await OpenAsync(model);
        await page.SettledAsync();
        var (different, all) = (0, 0);
        for (var picture = 0; picture < 4; picture++)
        {
            await page.ChangesAsync(() => page.Get("#dice").ClickAsync());
            var shown = await page.SettledAsync();
            await page.TabAsync("code");
            var code = (await page.Get("#code").TextContentAsync())!;
            var body = Regex.Match(code, "-d '(.*)'").Groups[1].Value;
            Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(body).RootElement.ValueKind);
            using var http = new HttpClient();
            using var answer = await http.PostAsync(Regex.Match(code, "curl '([^']+)'").Groups[1].Value,
                new StringContent(body, System.Text.Encoding.UTF8, "application/json"));
            different += AssertAlike(shown, ImageCodec.Decode(await answer.Content.ReadAsByteArrayAsync()));
            all += shown.Length / 4 * 3;
        }
        Assert.InRange(different, 0, all / 100);
    }

    /// <summary>That no byte differs by more than one; how many differ.</summary>
    static int AssertAlike(byte[] rgba, Image image)
    {
        var colours = image.ToChannels(3).Pixels;
        var differences = colours.Select((value, i) => Math.Abs(value - rgba[i / 3 * 4 + i % 3])).ToArray();
        Assert.InRange(differences.Max(), 0, 1);
        return differences.Count(difference => difference > 0);
    }

    static async Task<Image> SavedAsync(ExplorerPage page, string button)
    {
        var download = await page.Page.RunAndWaitForDownloadAsync(() => page.Get(button).ClickAsync());
        return ImageCodec.Decode(await File.ReadAllBytesAsync(await download.PathAsync()));
    }

    /// <summary>Draws a closed line around a part of the map.</summary>
    static async Task DrawAroundAsync(ExplorerPage page, double centre, double radius)
    {
        var box = (await page.Get("#map").BoundingBoxAsync())!;
        var side = Math.Min(box.Width, box.Height);
        for (var step = 0; step <= 24; step++)
        {
            var angle = step / 24.0 * Math.Tau;
            await page.Page.Mouse.MoveAsync((float)(box.X + box.Width * centre + Math.Cos(angle) * radius * side),
                (float)(box.Y + box.Height * 0.5 + Math.Sin(angle) * radius * side));
            if (step == 0)
                await page.Page.Mouse.DownAsync();
        }
        await page.Page.Mouse.UpAsync();
    }
}
