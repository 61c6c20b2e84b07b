using System.Text.Json;
using System.Text.RegularExpressions;

namespace VaeFunctions.Tests;

/// <summary>Chromium without a window: what a page really shows.</summary>
static class Browser
{
    const string Path = "/usr/bin/chromium";

    // Runs in the page once it has loaded: writes down the natural width of each picture.
    const string Probe = """
        <script>
        addEventListener('load', () => {
          const found = [...document.images].map(image => ({ source: image.src.slice(0, 100), width: image.naturalWidth }));
          document.body.innerHTML = '<pre>PROBE' + encodeURIComponent(JSON.stringify(found)) + 'PROBE</pre>';
        });
        </script>
        """;

    public readonly record struct Picture(string Source, int Width);

    public static async Task<List<Picture>> LoadAsync(string page)
    {
        Skip.IfNot(File.Exists(Path), $"{Path} is not installed");
        var probed = page + ".probe.html";
        // Pictures out of sight load too: the page is loaded when all of them have been tried.
        await File.WriteAllTextAsync(
            probed, (await File.ReadAllTextAsync(page)).Replace(" loading=\"lazy\"", "", StringComparison.Ordinal) + Probe);
        using var profile = new TemporaryFolder();

        await using var browser = await Command.RunAsync(
            Path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage",
            "--no-first-run",
            "--allow-file-access-from-files", $"--user-data-dir={profile.Path}", "--virtual-time-budget=20000", "--dump-dom",
            new Uri(probed).AbsoluteUri);

        File.Delete(probed);
        var found = Regex.Match(browser.Output, "PROBE([^<' ]*)PROBE");
        Assert.True(
            found.Success, $"Chromium said nothing of pictures: {browser.Output[^Math.Min(2000, browser.Output.Length)..]}");
        return JsonSerializer.Deserialize<List<Picture>>(
            Uri.UnescapeDataString(found.Groups[1].Value), JsonSerializerOptions.Web)!;
    }
}
