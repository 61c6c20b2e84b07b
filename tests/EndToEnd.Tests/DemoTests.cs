using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace VaeFunctions.Tests;

/// <summary>The whole demo, with little data and one epoch.</summary>
public sealed class DemoFixture : IAsyncLifetime
{
    internal TemporaryFolder Folder { get; } = new();

    internal Command Demo { get; private set; } = null!;

    public async Task InitializeAsync() => Demo = await Command.RunAsync(
        Command.LocalCloud, "demo", "--data", "faces:400", "--epochs", "1", "--out", Folder.Path);

    public async Task DisposeAsync()
    {
        await Demo.DisposeAsync();
        Folder.Dispose();
    }
}

public class DemoTests(DemoFixture fixture) : IClassFixture<DemoFixture>
{
    string Folder => fixture.Folder.Path;

    [Fact]
    public void The_demo_succeeds_and_leaves_nothing_running()
    {
        Assert.True(fixture.Demo.ExitCode == 0, fixture.Demo.Output);
        Assert.Empty(fixture.Demo.Family());
    }

    [Fact]
    public void Its_json_counts_what_happened_and_names_files_that_exist()
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "demo.json")));
        var demo = json.RootElement;

        Assert.Equal(49, demo.GetProperty("inbox").GetProperty("dropped").GetInt32());
        Assert.Equal(48, demo.GetProperty("inbox").GetProperty("results").GetInt32());
        Assert.Equal(1, demo.GetProperty("inbox").GetProperty("rejected").GetInt32());
        Assert.True(demo.GetProperty("test_loss").GetDouble() > 0);
        Assert.InRange(demo.GetProperty("total_seconds").GetDouble(), 1, 120);
        Assert.All(demo.GetProperty("files").EnumerateArray(),
            file => Assert.True(File.Exists(Path.Combine(Folder, file.GetString()!)), file.GetString()));
    }

    [Fact]
    public void Every_link_of_the_gallery_leads_to_a_file_of_its_own_folder()
    {
        var links = Regex.Matches(File.ReadAllText(Path.Combine(Folder, "index.html")), "(?:src|href)=\"([^\"]+)\"")
            .Select(match => Uri.UnescapeDataString(match.Groups[1].Value)).ToList();

        Assert.True(links.Count > 100);
        Assert.All(links, link => Assert.True(File.Exists(Path.Combine(Folder, link)), link));
    }

    [SkippableTheory]
    [InlineData("index.html", 100)]
    [InlineData("report.html", 1)]
    public async Task A_browser_loads_every_picture(string page, int atLeast)
    {
        var images = await Browser.LoadAsync(Path.Combine(Folder, page));

        Assert.True(images.Count >= atLeast, $"{images.Count} pictures");
        Assert.All(images, image => Assert.True(image.Width > 0, $"{image.Source} did not load"));
    }
}

/// <summary>The demo of a person who looks on.</summary>
public class DemoInATerminalTests
{
    [SkippableFact]
    public async Task In_a_terminal_it_ends_in_the_explorer_and_serves_until_Ctrl_C()
    {
        Skip.IfNot(File.Exists("/usr/bin/script"), "no program script (Debian: bsdutils) is here to make a terminal");
        using var folder = new TemporaryFolder();
        await using var demo = Command.Start("script", "--quiet", "--return", "--command",
            // Whoever starts the tests in the background lets them ignore Ctrl-C, which a terminal's shell does not.
            $"env --default-signal=INT {Command.LocalCloud} demo --data faces:400 --epochs 1 --out {folder.Path}", "/dev/null");
        await demo.WaitForAsync("Ctrl-C stops", minutes: 3);

        var address = Regex.Match(demo.Output, @"Play with it: (\S+)").Groups[1].Value;
        using var http = new HttpClient();
        Assert.Contains("explorer/app.js", await http.GetStringAsync(address), StringComparison.Ordinal);

        var (program, _) = demo.Family().Single(one => one.CommandLine.StartsWith($"{Command.LocalCloud} demo", StringComparison.Ordinal));
        using (var kill = Process.Start("kill", ["-INT", $"{program}"]))
            await kill.WaitForExitAsync();
        Assert.Equal(0, await demo.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.Empty(demo.Family());
    }
}

public class BrowserTests
{
    [SkippableFact]
    public async Task A_picture_that_does_not_load_is_noticed()
    {
        using var folder = new TemporaryFolder();
        var page = folder.File("page.html", "<!doctype html><body><img src=nothing.png></body>"u8.ToArray());

        Assert.Equal(0, Assert.Single(await Browser.LoadAsync(page)).Width);
    }
}
