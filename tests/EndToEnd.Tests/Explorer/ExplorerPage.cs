using System.Text.Json;
using Microsoft.Playwright;
using VaeFunctions.Imaging;

namespace VaeFunctions.Tests;

/// <summary>The explorer in a browser, as a person uses it, with what the browser says of it.</summary>
public sealed class ExplorerPage : IAsyncDisposable
{
    readonly List<string> faults = [], requests = [];
    readonly string host;

    ExplorerPage(IPage page, string address)
    {
        (Page, host) = (page, new Uri(address).Authority);
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
                faults.Add(message.Text);
        };
        page.PageError += (_, error) => faults.Add(error);
        page.Request += (_, request) => requests.Add(request.Url);
    }

    public IPage Page { get; }

    /// <summary>Errors of the console and of scripts.</summary>
    public IReadOnlyList<string> Faults => faults;

    /// <summary>Every address that was asked for.</summary>
    public IReadOnlyList<string> Requests => requests;

    public IEnumerable<string> ForeignRequests => requests.Where(request =>
        !request.StartsWith("blob:", StringComparison.Ordinal) && !request.StartsWith("data:", StringComparison.Ordinal)
        && new Uri(request).Authority != host);

    public static async Task<ExplorerPage> OpenAsync(IPage page, string address, Func<IPage, Task>? prepare)
    {
        var explorer = new ExplorerPage(page, address);
        if (prepare is not null)
            await prepare(page);
        await page.GotoAsync(address);
        return explorer;
    }

    /// <summary>Waits until the stage has its first picture.</summary>
    public async Task<ExplorerPage> ReadyAsync()
    {
        await WaitAsync("performance.getEntriesByName('picture').length > 0");
        await WaitAsync("document.querySelector('#engine').classList.contains('on')");
        return this;
    }

    /// <summary>Waits until something holds. Playwright's own wait evaluates texts in the page, whose policy allows
    /// none.</summary>
    public async Task WaitAsync(string condition)
    {
        for (var tries = 0; tries < 600; tries++, await Task.Delay(50))
        {
            if (await Page.EvaluateAsync<bool>(condition))
                return;
        }
        throw new Xunit.Sdk.XunitException($"It never came that {condition}. {Said}");
    }

    public ILocator Get(string selector) => Page.Locator(selector);

    public Task TabAsync(string name) => Get($"#tab-{name}").ClickAsync();

    /// <summary>The pixels of a canvas, RGBA.</summary>
    public async Task<byte[]> PixelsAsync(string canvas = "#picture") => Convert.FromBase64String(
        await Page.EvaluateAsync<string>(
        """
        selector => {
          const canvas = document.querySelector(selector);
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          return btoa(Array.from(data, byte => String.fromCharCode(byte)).join(''));
        }
        """, canvas));

    /// <summary>Does something, and waits until the stage shows another picture.</summary>
    public async Task<byte[]> ChangesAsync(Func<Task> action, string canvas = "#picture")
    {
        var before = await PixelsAsync(canvas);
        await action();
        for (var tries = 0; tries < 300; tries++, await Task.Delay(50))
        {
            var now = await PixelsAsync(canvas);
            if (!now.SequenceEqual(before))
                return now;
        }
        throw new Xunit.Sdk.XunitException($"{canvas} shows the same as before. {Said}");
    }

    /// <summary>Waits until the stage stands still.</summary>
    public async Task<byte[]> SettledAsync()
    {
        var last = await PixelsAsync();
        for (var same = 0; same < 6; await Task.Delay(80))
        {
            var now = await PixelsAsync();
            same = now.SequenceEqual(last) ? same + 1 : 0;
            last = now;
        }
        return last;
    }

    /// <summary>Moves a slider as a hand does, by its keys.</summary>
    public async Task SlideAsync(string selector, string key, int times)
    {
        await Get(selector).FocusAsync();
        for (var i = 0; i < times; i++)
            await Page.Keyboard.PressAsync(key);
    }

    /// <summary>Clicks on a picture of the map, the one farthest from the mark of the stage.</summary>
    public async Task ClickOnMapAsync(bool tap = false)
    {
        var place = await Page.EvaluateAsync<float[]>(
            """
            () => {
              const [map, here] = [document.querySelector('#map'), document.querySelector('#here').getBoundingClientRect()];
              const { data } = map.getContext('2d').getImageData(0, 0, map.width, map.height);
              const { left, top, width } = map.getBoundingClientRect();
              const ratio = map.width / width;
              const seen = (x, y) => document.elementFromPoint(left + x / ratio, top + y / ratio) === map;
              let [best, far] = [null, -1];
              for (let y = 4; y < map.height; y += 6)
                for (let x = 4; x < map.width; x += 6) {
                  if (data[(y * map.width + x) * 4 + 3] < 255) continue;
                  const distance = Math.hypot(left + x / ratio - here.left, top + y / ratio - here.top);
                  if (distance > far && seen(x, y)) [best, far] = [[x / ratio, y / ratio], distance];
                }
              return best;
            }
            """);
        var position = new Position { X = place[0], Y = place[1] };
        await (tap ? Get("#map").TapAsync(new() { Position = position }) : Get("#map").ClickAsync(new() { Position = position }));
    }

    /// <summary>Draws a closed line around a part of the map.</summary>
    /// <param name="centre">Of the canvas's width, as a share.</param>
    /// <param name="radius">As a share of the smaller side.</param>
    public async Task DrawOnMapAsync(double centre, double radius)
    {
        var box = (await Get("#map").BoundingBoxAsync())!;
        var side = Math.Min(box.Width, box.Height);
        for (var step = 0; step <= 24; step++)
        {
            var angle = step / 24.0 * Math.Tau;
            await Page.Mouse.MoveAsync((float)(box.X + box.Width * centre + Math.Cos(angle) * radius * side),
                (float)(box.Y + box.Height * 0.5 + Math.Sin(angle) * radius * side));
            if (step == 0)
                await Page.Mouse.DownAsync();
        }
        await Page.Mouse.UpAsync();
    }

    /// <summary>Gives the page a picture.</summary>
    public Task DropAsync(string name, Image image) => DropAsync(name, ImageCodec.EncodePng(image));

    /// <summary>Gives the page a file that says it is a picture.</summary>
    public Task DropAsync(string name, byte[] content) =>
        Get("#file").SetInputFilesAsync(new FilePayload { Name = name, MimeType = "image/png", Buffer = content });

    /// <summary>Serious faults of accessibility that axe finds.</summary>
    public async Task<string[]> SeriousFaultsAsync()
    {
        // By the debugger and not as a script of the page, whose policy allows none but its own.
        await Page.EvaluateAsync(await File.ReadAllTextAsync(AxeSource));
        var results = await Page.EvaluateAsync<JsonElement>(
            "axe.run().then(found => found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')"
            + ".map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) =>"
            + " `${html.slice(0, 200)} ${failureSummary}`).join(' | ')}`))");
        return [.. results.EnumerateArray().Select(text => text.GetString()!)];
    }

    public static string AxeSource => Path.Combine(LocalCloud.Installation.Root, "node_modules/axe-core/axe.min.js");

    string Said => string.Join(Environment.NewLine, faults);

    /// <summary>That nothing went wrong on the way, and nothing was asked of another host.</summary>
    public void AssertClean()
    {
        Assert.Empty(faults);
        Assert.Empty(ForeignRequests);
    }

    public async ValueTask DisposeAsync() => await Page.CloseAsync();
}
