using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using VaeFunctions.Imaging;
using VaeFunctions.LocalCloud;
using Xunit.Abstractions;

namespace VaeFunctions.Tests;

/// <summary>The explorer on a phone, by keyboard, without its server, with a key, with hostile names, and as exported
/// files.</summary>
[Collection(ExplorerCollection.Name)]
public sealed class ExplorerPageTests(ExplorerFixture fixture, ITestOutputHelper output)
{
    async Task<ExplorerPage> OpenAsync(
        string model = ExplorerFixture.Faces, bool phone = false, Func<IPage, Task>? prepare = null)
    {
        var page = await (await fixture.OpenAsync(fixture.Page(model), phone, prepare)).ReadyAsync();
        await page.SettledAsync();
        return page;
    }

    [SkippableFact]
    public async Task On_a_phone_nothing_is_wider_than_the_screen_and_every_tab_is_in_reach()
    {
        await using var page = await OpenAsync(phone: true);
        foreach (var tab in (string[])["sliders", "yours", "latents", "compare", "code", "map"])
        {
            await page.Get($"#tab-{tab}").TapAsync();
            Assert.True(await page.Page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= 390, tab);
            await AssertAccessibleAsync(page);
        }
        await page.ChangesAsync(() => page.ClickOnMapAsync(tap: true));
        page.AssertClean();
    }

    [SkippableFact]
    public async Task By_keyboard_alone_everything_is_reached_in_order()
    {
        await using var page = await OpenAsync();
        var reached = new List<string>();
        for (var i = 0; i < 60; i++)
        {
            await page.Page.Keyboard.PressAsync("Tab");
            reached.Add(await page.Page.EvaluateAsync<string>("document.activeElement.id || document.activeElement.tagName"));
        }
        string[] wanted =
            ["dice", "add-stop", "copy-link", "tab-sliders", "concept-hat", "colour-by", "lasso", "map", "play", "scrub"];
        Assert.Equal(wanted, wanted.OrderBy(reached.IndexOf));
        Assert.All(wanted, id => Assert.Contains(id, reached));

        await page.Get("#tab-sliders").FocusAsync();
        await page.Page.Keyboard.PressAsync("ArrowRight");
        Assert.True(await page.Get("#panel-yours").IsVisibleAsync());
        await page.Get("#brush-slot canvas").FocusAsync();
        await page.ChangesAsync(async () =>
        {
            await page.Page.Keyboard.PressAsync("ArrowDown");
            await page.Page.Keyboard.PressAsync("Space");
        }, "#brush-slot canvas");
        Assert.True(await page.Get("#mend").IsEnabledAsync());
        await page.Page.Keyboard.PressAsync("Control+z"); // nothing to undo, and no harm
        page.AssertClean();
    }

    [SkippableFact]
    public async Task Axe_finds_nothing_serious_on_any_panel_by_day_and_by_night()
    {
        await using var page = await OpenAsync();
        foreach (var scheme in (ColorScheme[])[ColorScheme.Light, ColorScheme.Dark])
        {
            await page.Page.EmulateMediaAsync(new() { ColorScheme = scheme });
            foreach (var tab in (string[])["sliders", "yours", "latents", "compare", "code"])
            {
                await page.TabAsync(tab);
                await AssertAccessibleAsync(page);
            }
        }
    }

    static async Task AssertAccessibleAsync(ExplorerPage page)
    {
        Skip.IfNot(File.Exists(ExplorerPage.AxeSource), "axe-core is not installed; npm ci restores it");
        Assert.Empty(await page.SeriousFaultsAsync());
    }

    [SkippableFact]
    public async Task Without_its_server_the_page_says_so_and_the_sliders_go_on()
    {
        await using var page = await OpenAsync();
        await page.Page.RouteAsync("**/api/models**", route => route.AbortAsync());
        await page.TabAsync("compare");
        await Assertions.Expect(page.Get("#notice")).ToContainTextAsync("The server does not answer. Nothing is lost");
        await page.TabAsync("sliders");
        await page.ChangesAsync(() => page.SlideAsync("#concept-hat", "ArrowLeft", 12));
    }

    [SkippableFact]
    public async Task Where_the_runtime_cannot_be_loaded_the_server_decodes_and_the_page_says_why()
    {
        await using var page = await OpenAsync(prepare: page => page.RouteAsync("**/ort*", route => route.AbortAsync()));
        await Assertions.Expect(page.Get("#engine")).ToContainTextAsync("decoded by the server");
        await Assertions.Expect(page.Get("#engine")).ToHaveAttributeAsync(
            "title", "Not on your device: the runtime cannot be loaded");
        await page.ChangesAsync(() => page.SlideAsync("#concept-hat", "ArrowRight", 12));
    }

    [SkippableFact]
    public async Task A_server_that_is_stopped_in_the_middle_and_started_again_loses_nothing()
    {
        fixture.DemandBrowser();
        using var folder = new TemporaryFolder();
        var session = new Session(Port.Free(), Port.Free());
        Command Serve() => Command.Start(Command.LocalCloud, "serve", "--port", $"{session.Port}", "--storage-port",
            $"{session.StoragePort}", "--data", folder.File("data"), "--runs", fixture.Runs);
        await using var first = Serve();
        await first.WaitForAsync("Ctrl-C stops");
        await using var page = await (await fixture.OpenAsync(
            $"http://localhost:{session.Port}/api/explorer#model={ExplorerFixture.Faces}", prepare: WithoutWebAssemblyAsync))
            .ReadyAsync();
        await page.WaitAsync(ThumbnailsAreThere);
        await page.ChangesAsync(() => page.SlideAsync("#concept-hat", "ArrowRight", 12));
        var shown = await page.SettledAsync();

        Assert.Equal(0, await first.TerminateAsync());
        await page.SlideAsync("#concept-hat", "ArrowRight", 4);
        await Assertions.Expect(page.Get("#notice")).ToContainTextAsync("Nothing is lost");
        Assert.Equal(shown, await page.PixelsAsync());

        await using var second = Serve();
        await second.WaitForAsync("Ctrl-C stops");
        await page.ChangesAsync(() => page.SlideAsync("#concept-hat", "ArrowRight", 4));
        Assert.Equal("+1.0", await page.Get(".slider:has(#concept-hat) output").TextContentAsync());
    }

    /// <summary>Takes WebAssembly away, so that the server decodes. To refuse the runtime by a route would do so too, and hold up
    /// every request of the page, which is measured.</summary>
    static Task WithoutWebAssemblyAsync(IPage page) => page.AddInitScriptAsync("delete globalThis.WebAssembly");

    [SkippableFact]
    public async Task A_wrong_key_is_refused_and_the_right_one_opens_the_page()
    {
        await using var page = await fixture.OpenAsync(fixture.Page(ExplorerFixture.Faces), prepare: page =>
            page.RouteAsync("**/api/models**", route => route.Request.Headers.GetValueOrDefault("x-functions-key") == "right"
                ? route.ContinueAsync() : route.FulfillAsync(new() { Status = 401 })));
        await page.Get("#key-dialog input").FillAsync("wrong");
        await page.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Get("#key-dialog .wrong")).ToBeVisibleAsync();
        await page.Get("#key-dialog input").FillAsync("right");
        await page.Get("#key-dialog .primary").ClickAsync();
        await page.ReadyAsync();
        Assert.DoesNotContain(page.Requests, request => request.Contains("right", StringComparison.Ordinal));
        await Assertions.Expect(page.Get("#engine")).ToContainTextAsync("on your device");
    }

    [SkippableFact]
    public async Task Hostile_names_of_files_labels_and_concepts_run_no_script()
    {
        var hostile = Uri.EscapeDataString(ExplorerFixture.HostileLabel);
        var link = $"{fixture.Page(ExplorerFixture.Labelled)}&own={hostile}:AAAA&edit={hostile}:1&at=p99999&stops=z!~{hostile}";
        await using var page = await (await fixture.OpenAsync(link)).ReadyAsync();
        await page.SettledAsync();
        await Assertions.Expect(page.Get("#labels span").Nth(0)).ToContainTextAsync("<img src=x");
        await page.Get("#colour-by").SelectOptionAsync("label");
        await page.DropAsync($"{ExplorerFixture.HostileLabel}.png", new Image(4, 3, 1, new byte[12]));
        await Assertions.Expect(page.Get("#file-name")).ToHaveTextAsync($"{ExplorerFixture.HostileLabel}.png");
        await page.DropAsync($"{ExplorerFixture.HostileLabel}.txt", [1, 2, 3]);
        await Assertions.Expect(page.Get("#notice")).ToContainTextAsync("is no picture");
        Assert.False(await page.Page.EvaluateAsync<bool>("'hacked' in window"));
        page.AssertClean();
    }

    [SkippableFact]
    public async Task What_is_exported_needs_no_server_of_ours()
    {
        fixture.DemandBrowser();
        using var folder = new TemporaryFolder();
        var target = folder.File("site");
        foreach (var model in (string[])[ExplorerFixture.Faces, ExplorerFixture.Codes])
        {
            await using var export = await Command.RunAsync(Command.LocalCloud, "explore", model, "--export", target,
                "--runs", fixture.Runs, "--data", folder.File("no-serve"));
            Assert.True(export.ExitCode == 0, export.Output);
            await using var server = await ServeFilesAsync(target);
            await using var page = await (await fixture.OpenAsync($"{server.Urls.Single()}/index.html")).ReadyAsync();
            await page.SettledAsync();
            await page.ChangesAsync(() => page.Get("#dice").ClickAsync());
            await page.SettledAsync();
            await page.ChangesAsync(() => page.ClickOnMapAsync());
            await page.SettledAsync();
            await page.ChangesAsync(() => page.SlideAsync("#concept-hat", "ArrowRight", 16));
            await page.TabAsync("yours");
            await page.ChangesAsync(() => page.DropAsync("black.png", new Image(32, 32, 3, new byte[3072])));
            await Assertions.Expect(page.Get("#verdict")).ToBeVisibleAsync();
            await page.TabAsync("compare");
            Assert.True(await page.Get("#compare-static").IsVisibleAsync());
            await page.ChangesAsync(() => page.Get("#play").ClickAsync());
            page.AssertClean();
        }
    }

    [Fact]
    public async Task A_folder_with_other_files_is_not_exported_into()
    {
        using var folder = new TemporaryFolder();
        folder.File("site/mine.txt", [1]);
        await using var export = await Command.RunAsync(Command.LocalCloud, "explore", "any", "--export", folder.File("site"),
            "--runs", folder.File("runs"), "--data", folder.File("no-serve"));
        Assert.Equal(2, export.ExitCode);
        Assert.Single(Directory.GetFiles(folder.File("site")));
    }

    /// <summary>Meaningful only on a machine that has time for the page.</summary>
    [SkippableFact]
    public async Task Sliders_are_followed_at_once_and_the_map_pans_at_fifty_frames()
    {
        var load = double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);
        Skip.If(load > 1.5 * Environment.ProcessorCount, $"the machine is busy: load {load}");
        await fixture.ReadyAsync();
        await Task.Delay(TimeSpan.FromSeconds(10)); // what serve does after its start would compete
        await using var page = await OpenAsync();
        await page.WaitAsync(ThumbnailsAreThere);
        await page.SettledAsync();
        var here = await MedianOfSlidingAsync(page);
        var (map, picture) = (await MarkAsync(page, "map"), await MarkAsync(page, "picture"));
        var frames = await page.Page.EvaluateAsync<double>(
            """
            async () => {
              const map = document.querySelector('#map');
              const times = [];
              let last = await new Promise(requestAnimationFrame);
              for (let i = 0; i < 60; i++) {
                const turn = { deltaY: i % 2 ? 20 : -20, cancelable: true, clientX: 900, clientY: 400 };
                map.dispatchEvent(new WheelEvent('wheel', turn));
                const now = await new Promise(requestAnimationFrame);
                times.push(now - last);
                last = now;
              }
              return 1000 / times.sort((a, b) => a - b)[30];
            }
            """);
        await using var other = await OpenAsync(prepare: WithoutWebAssemblyAsync);
        await other.WaitAsync(ThumbnailsAreThere);
        await Assertions.Expect(other.Get("#engine")).ToContainTextAsync("decoded by the server");
        var there = await MedianOfSlidingAsync(other);
        output.WriteLine($"map after {map:0} ms, picture after {picture:0} ms; slider to picture {here:0.0} ms, by the "
            + $"server {there:0.0} ms; map {frames:0} frames a second; load {load:0.0}");
        Assert.InRange(map, 0, 1500);
        Assert.InRange(picture, 0, 3000);
        Assert.InRange(here, 0, 30);
        Assert.InRange(there, 0, 100);
        Assert.InRange(frames, 50, 1000);
    }

    const string ThumbnailsAreThere = "performance.getEntriesByName('thumbnails').length > 0";

    static Task<double> MarkAsync(ExplorerPage page, string name) =>
        page.Page.EvaluateAsync<double>($"performance.getEntriesByName('{name}')[0].startTime");

    /// <summary>Milliseconds from a slider's move to the picture of it.</summary>
    static Task<double> MedianOfSlidingAsync(ExplorerPage page) => page.Page.EvaluateAsync<double>(
        """
        async () => {
          const input = document.querySelector('#concept-hat');
          const times = [];
          for (let i = 0; i < 40; i++) {
            const count = performance.getEntriesByName('picture').length;
            const started = performance.now();
            input.value = (i % 20 - 10) / 10;
            input.dispatchEvent(new Event('input'));
            while (performance.getEntriesByName('picture').length === count) await new Promise(resolve => setTimeout(resolve));
            times.push(performance.now() - started);
          }
          return times.sort((a, b) => a - b)[20];
        }
        """);

    /// <summary>Any static server, which knows nothing of functions.</summary>
    static async Task<WebApplication> ServeFilesAsync(string folder)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{Port.Free()}");
        var app = builder.Build();
        var types = new FileExtensionContentTypeProvider
        {
            Mappings = { [".mjs"] = "text/javascript", [".wasm"] = "application/wasm" },
        };
        app.UseStaticFiles(new StaticFileOptions
        {
            FileProvider = new PhysicalFileProvider(folder),
            ContentTypeProvider = types,
            ServeUnknownFileTypes = true,
        });
        await app.StartAsync();
        return app;
    }
}
