using System.Text;
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

/// <summary>Each panel of the explorer, used as a person would, on every kind of model. What one panel does to the stage, the
/// next goes on from.</summary>
[Collection(ExplorerCollection.Name)]
public sealed class ExplorerPanelTests(ExplorerFixture fixture)
{
    public static TheoryData<string> Models =>
        [ExplorerFixture.Faces, ExplorerFixture.Labelled, ExplorerFixture.Codes, ExplorerFixture.Grey];

    async Task<ExplorerPage> OpenAsync(string model)
    {
        var page = await (await fixture.OpenAsync(fixture.Page(model))).ReadyAsync();
        await page.SettledAsync();
        return page;
    }

    [SkippableTheory]
    [MemberData(nameof(Models))]
    public async Task Stage_sliders_and_latents_change_the_picture_without_the_server(string model)
    {
        await using var page = await OpenAsync(model);
        var asked = Asked();
        await DiceAndUndoAsync(page);
        if (model == ExplorerFixture.Faces)
            await SlideAConceptAsync(page);
        if (model == ExplorerFixture.Labelled)
            await page.ChangesAsync(() => page.Get("#labels input").Nth(1).CheckAsync());
        if (model == ExplorerFixture.Codes)
            await CodesHaveNoLatentsAsync(page);
        else
            await MoveALatentAsync(page);
        Assert.Equal(asked, Asked().Where(request => !request.EndsWith("prior.onnx", StringComparison.Ordinal)));
        Assert.Equal(1000, (await SavedAsync(page, "#save-card")).Width);
        page.AssertClean();

        string[] Asked() => [.. page.Requests.Where(request => request.Contains("/models/", StringComparison.Ordinal))];
    }

    [SkippableTheory]
    [MemberData(nameof(Models))]
    public async Task The_map_leads_the_stage_and_two_groups_of_it_become_a_concept(string model)
    {
        await using var page = await OpenAsync(model);
        await GoOnTheMapAsync(page);
        if (model == ExplorerFixture.Faces)
            await ColourByAttributeAsync(page);
        if (model == ExplorerFixture.Labelled)
            await SearchByLabelAsync(page);
        await MakeAConceptAsync(page, "größer");

        await using var other = await OpenAsync(model);
        await other.Get(".slider:has([id='concept-größer']) button.plain").ClickAsync();
        await Assertions.Expect(other.Get("[id='concept-größer']")).ToHaveCountAsync(0);
        page.AssertClean();
        other.AssertClean();
    }

    [SkippableTheory]
    [MemberData(nameof(Models))]
    public async Task A_picture_is_judged_mended_taken_on_a_journey_and_compared(string model)
    {
        await using var page = await OpenAsync(model);
        await JudgeNoiseAsync(page, model == ExplorerFixture.Faces ? "Anomalous" : "a verdict takes 100 or more");
        await MendAHoleAsync(page);
        await TravelAsync(page, pictureAspect: model is ExplorerFixture.Grey or ExplorerFixture.Labelled ? 16.0 / 12 : 1);
        await CompareAsync(page);
        page.AssertClean();
    }

    [SkippableTheory]
    [MemberData(nameof(Models))]
    public async Task Code_and_link_give_what_is_on_the_stage(string model)
    {
        await using var page = await OpenAsync(model);
        if (model == ExplorerFixture.Faces)
            await EveryLanguageCallsWithTheLatentAsync(page);
        await DecodeAsTheFunctionsDoAsync(page);
        await RunTheCodeAsync(page, "curl", "bash", "-c");
        if (model == ExplorerFixture.Faces)
            await RunTheCodeAsync(page, "javascript", "node", "--input-type=module", "-e");
        await Assertions.Expect(page.Get("#code")).ToContainTextAsync($"models/{model}/");
        foreach (var language in (string[])["python", "csharp"])
        {
            await page.Get("#language").SelectOptionAsync(language);
            Assert.Matches($"models/{model}/(decode|sample)\\?version=[0-9TZ]+", await page.Get("#code").TextContentAsync());
        }
        await FollowTheLinkAsync(page);
        page.AssertClean();
    }

    static async Task DiceAndUndoAsync(ExplorerPage page)
    {
        var first = await page.SettledAsync();
        await page.ChangesAsync(() => page.Get("#dice").ClickAsync());
        await page.SettledAsync();
        await page.Get("#undo").ClickAsync();
        Assert.Equal(first, await page.SettledAsync());
    }

    static async Task SlideAConceptAsync(ExplorerPage page)
    {
        await page.TabAsync("sliders");
        await page.ChangesAsync(() => page.SlideAsync("#concept-hat", "ArrowRight", 12));
        Assert.Equal("+0.6", await page.Get(".slider:has(#concept-hat) output").TextContentAsync());
        await page.ChangesAsync(() => page.Get("#reset").ClickAsync());
        Assert.Equal("", await page.Get(".slider:has(#concept-hat) output").TextContentAsync());
    }

    static async Task MoveALatentAsync(ExplorerPage page)
    {
        await page.TabAsync("latents");
        var shares = await page.Page.EvaluateAsync<double[]>(
            "[...document.querySelectorAll('#latents .bar')].map(bar => parseFloat(bar.style.getPropertyValue('--share')))");
        Assert.NotEmpty(shares);
        Assert.Equal(shares.OrderDescending(), shares);
        await page.ChangesAsync(() => page.SlideAsync("#latents input >> nth=0", "ArrowRight", 20));
    }

    static async Task CodesHaveNoLatentsAsync(ExplorerPage page)
    {
        await page.TabAsync("latents");
        await Assertions.Expect(page.Get("#latents-about")).ToContainTextAsync("64 codes, each one of 16 vectors");
    }

    /// <summary>By a click, by keys and by a neighbour.</summary>
    static async Task GoOnTheMapAsync(ExplorerPage page)
    {
        await page.ChangesAsync(() => page.ClickOnMapAsync());
        await page.SettledAsync();
        await page.Get("#map").FocusAsync();
        await page.ChangesAsync(async () =>
        {
            await page.Page.Keyboard.PressAsync("ArrowLeft");
            await page.Page.Keyboard.PressAsync("ArrowUp");
        });
        await page.SettledAsync();
        Assert.InRange(await page.Get("#neighbours button").CountAsync(), 2, 8);
        await page.ChangesAsync(() => page.Get("#neighbours button").Last.ClickAsync());
        await page.SettledAsync();
    }

    static async Task ColourByAttributeAsync(ExplorerPage page)
    {
        await page.ChangesAsync(() => page.Get("#colour-by").SelectOptionAsync("hat"), "#map");
        await Assertions.Expect(page.Get("#legend")).ToBeVisibleAsync();
    }

    static async Task SearchByLabelAsync(ExplorerPage page)
    {
        await page.ChangesAsync(() => page.Get("#search").FillAsync("tall"), "#map");
        Assert.Matches("^[0-9]+ of [0-9]+$", await page.Get("#found").TextContentAsync());
        await page.Get("#search").FillAsync("");
    }

    static async Task MakeAConceptAsync(ExplorerPage page, string name)
    {
        await page.Get("#lasso").ClickAsync();
        await page.DrawOnMapAsync(0.4, 0.30);
        await Assertions.Expect(page.Get("#groups-help")).ToContainTextAsync("images show it");
        await page.Get("#take-group").ClickAsync(); // all the others
        await page.Get("#concept-name").FillAsync(name);
        var saved = page.Page.WaitForResponseAsync(answer => answer.Request.Method == "PUT");
        await page.Get("#make-concept").ClickAsync();
        Assert.Equal(200, (await saved).Status);
        await page.ChangesAsync(() => page.SlideAsync($"[id='concept-{name}']", "End", 1));
    }

    static async Task JudgeNoiseAsync(ExplorerPage page, string verdict)
    {
        var random = new Random(3);
        byte[] pixels = [.. Enumerable.Range(0, 40 * 30 * 3).Select(_ => (byte)(random.Next(2) * 255))];
        await page.TabAsync("yours");
        await page.ChangesAsync(() => page.DropAsync("noise.png", new Image(40, 30, 3, pixels)));
        await Assertions.Expect(page.Get("#verdict")).ToContainTextAsync(verdict);
        Assert.Contains(await page.PixelsAsync("#overlay-slot canvas"), value => value is > 0 and < 255);
    }

    /// <summary>What is outside the hole stays as it was.</summary>
    static async Task MendAHoleAsync(ExplorerPage page)
    {
        const string canvas = "#brush-slot canvas";
        var whole = await page.PixelsAsync(canvas);
        var painted = await page.ChangesAsync(() => page.Get(canvas).ClickAsync(), canvas);
        var mended = await page.ChangesAsync(() => page.Get("#mend").ClickAsync(), canvas);
        var outside = Enumerable.Range(0, whole.Length)
            .Where(i => painted.AsSpan(i / 4 * 4, 4).SequenceEqual(whole.AsSpan(i / 4 * 4, 4))).ToArray();
        Assert.InRange(outside.Length, whole.Length / 2, whole.Length - 4);
        Assert.All(outside, i => Assert.Equal(whole[i], mended[i]));
        await page.Get("#take-mended").ClickAsync();
        await page.SettledAsync();
    }

    static async Task TravelAsync(ExplorerPage page, double pictureAspect)
    {
        await page.Get("#add-stop").ClickAsync();
        await page.ChangesAsync(() => page.Get("#play").ClickAsync());
        await page.Get("#play").ClickAsync();
        await Assertions.Expect(page.Get("#play")).ToHaveAttributeAsync("aria-pressed", "false");
        await page.SettledAsync();
        await page.ChangesAsync(() => page.SlideAsync("#scrub", "PageUp", 2));
        var strip = await SavedAsync(page, "#save-strip");
        Assert.Equal(9.0 * strip.Height * pictureAspect, strip.Width, 1.0);
        var animation = await page.Page.RunAndWaitForDownloadAsync(() => page.Get("#save-animation").ClickAsync());
        var bytes = await File.ReadAllBytesAsync(await animation.PathAsync());
        Assert.Contains("acTL", Encoding.Latin1.GetString(bytes), StringComparison.Ordinal);
        Assert.True(ImageCodec.Decode(bytes).Width > 0);
    }

    static async Task CompareAsync(ExplorerPage page)
    {
        await page.TabAsync("compare");
        foreach (var side in (string[])["this", "other"])
        {
            await page.WaitAsync($"document.querySelector('#{side}-slot img').naturalWidth > 0");
            await Assertions.Expect(page.Get($"#{side}-caption")).Not.ToBeEmptyAsync();
        }
        await Assertions.Expect(page.Get("#compare-says")).ToContainTextAsync("through both models");
        await page.Get("#compare-what").SelectOptionAsync("seed");
        await Assertions.Expect(page.Get("#compare-says")).ToContainTextAsync("the same random numbers");
    }

    /// <summary>Of a few pictures, at most one byte in a hundred differs from the functions', and that by one.</summary>
    static async Task DecodeAsTheFunctionsDoAsync(ExplorerPage page)
    {
        await page.TabAsync("code");
        var (different, all) = (0, 0);
        using var http = new HttpClient();
        for (var picture = 0; picture < 4; picture++)
        {
            await page.ChangesAsync(() => page.Get("#dice").ClickAsync());
            var shown = await page.SettledAsync();
            var code = (await page.Get("#code").TextContentAsync())!;
            var json = Regex.Match(code, "-d '(.*)'").Groups[1].Value;
            Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(json).RootElement.ValueKind);
            using var body = new StringContent(json, Encoding.UTF8, "application/json");
            using var answer = await http.PostAsync(Regex.Match(code, "curl '([^']+)'").Groups[1].Value, body);
            different += Differences(shown, ImageCodec.Decode(await answer.Content.ReadAsByteArrayAsync()));
            all += shown.Length / 4 * 3;
        }
        Assert.InRange(different, 0, all / 100);
    }

    static async Task EveryLanguageCallsWithTheLatentAsync(ExplorerPage page)
    {
        await page.ChangesAsync(() => page.ClickOnMapAsync());
        await page.SettledAsync();
        await page.TabAsync("code");
        foreach (var language in (string[])["python", "javascript", "csharp", "curl"])
        {
            await page.Get("#language").SelectOptionAsync(language);
            var code = await page.Get("#code").TextContentAsync();
            Assert.Matches($"models/{ExplorerFixture.Faces}/decode\\?version=[0-9TZ]+", code);
            Assert.Contains("\"latents\":[[", code, StringComparison.Ordinal);
        }
    }

    static async Task RunTheCodeAsync(ExplorerPage page, string language, string program, params string[] arguments)
    {
        var shown = await page.SettledAsync();
        await page.Get("#language").SelectOptionAsync(language);
        using var folder = new TemporaryFolder();
        var code = (await page.Get("#code").TextContentAsync())!
            .Replace("picture.png", folder.File("picture.png"), StringComparison.Ordinal);
        await using var run = await Command.RunAsync(program, [.. arguments, code]);
        Assert.True(run.ExitCode == 0, run.Output);
        Differences(shown, ImageCodec.Decode(await File.ReadAllBytesAsync(folder.File("picture.png"))));
    }

    /// <summary>A link shows the same picture, sliders moved, and the same journey.</summary>
    async Task FollowTheLinkAsync(ExplorerPage page)
    {
        await page.TabAsync("sliders");
        if (await page.Get("#sliders input").CountAsync() > 0)
            await page.ChangesAsync(() => page.SlideAsync("#sliders input >> nth=0", "ArrowRight", 16));
        await page.Get("#add-stop").ClickAsync();
        var shown = await page.SettledAsync();
        await page.Get("#copy-link").ClickAsync();
        await using var other = await (await fixture.OpenAsync(page.Page.Url)).ReadyAsync();
        var again = await other.SettledAsync();
        Assert.True(shown.Zip(again).All(pair => Math.Abs(pair.First - pair.Second) <= 1), "the link shows another picture");
        Assert.Equal(Stops(page), Stops(other));
        other.AssertClean();

        static string Stops(ExplorerPage page) => Regex.Match(page.Page.Url, "stops=[^&]*").Value;
    }

    /// <summary>How many bytes differ, which none may by more than one.</summary>
    static int Differences(byte[] rgba, Image image)
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
}
