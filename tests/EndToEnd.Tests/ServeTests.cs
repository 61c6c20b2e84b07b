using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;
using VaeFunctions.LocalCloud;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests;

public sealed class ServeTests(ServeFixture fixture) : IClassFixture<ServeFixture>, IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Serve_publishes_the_models_of_the_runs_folder_and_says_what_to_do_next()
    {
        Assert.Matches($@"Models\s+{ServeFixture.Model} ", fixture.Serve.Output);
        Assert.Contains($"./vae drop IMAGES… --model {ServeFixture.Model}", fixture.Serve.Output, StringComparison.Ordinal);
        Assert.Contains($"http://localhost:{fixture.Session.Port}/api/models", fixture.Serve.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_drop_without_the_data_folder_of_serve_says_to_give_it()
    {
        await using var drop =
            await Command.RunAsync(Command.LocalCloud, "drop", folder.File("image.png", [1, 2, 3]), "--data", folder.Path);

        Assert.Equal(2, drop.ExitCode);
        Assert.Contains("--data DIR", drop.Output, StringComparison.Ordinal);
        Assert.Contains($"--model {ServeFixture.Model} --data {fixture.Data}", fixture.Serve.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_drop_that_comes_before_serve_is_ready_waits_for_it()
    {
        var data = folder.File("data");
        await using var drop = Command.Start(Command.LocalCloud, "drop", folder.File("image.png", [1, 2, 3]), "--data", data);
        await using var serve = Command.Start(
            Command.LocalCloud, "serve", "--port", $"{Port.Free()}", "--storage-port", $"{Port.Free()}", "--data", data, "--runs",
            folder.File("none"));

        Assert.Equal(2, await drop.WaitForExitAsync());
        Assert.Contains("No model is published", drop.Output, StringComparison.Ordinal); // it found the storage
    }

    [Fact]
    public async Task A_misspelt_option_is_answered_with_the_one_that_was_meant()
    {
        await using var drop = await Command.RunAsync(Command.LocalCloud, "drop", "image.png", "--modle", "faces");

        Assert.Equal(2, drop.ExitCode);
        Assert.Contains("Did you mean --model?", drop.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_dropped_image_gets_exactly_one_answer()
    {
        var images = folder.File("images");
        await using var drawn =
            await Command.RunAsync(Command.LocalCloud, "faces", "--count", "30", "--seed", "7", "--out", images);
        Assert.True(drawn.ExitCode == 0, drawn.Output);
        var faces = Directory.GetFiles(images, "*.png");
        File.Move(faces[0], Path.Combine(images, "with spaces, ümlaut & 100%.png"));
        File.WriteAllBytes(Path.Combine(images, "broken.png"), File.ReadAllBytes(faces[1])[..100]);
        var names = Directory.GetFiles(images, "*.png").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)
            .ToList();
        var copies = folder.File("results");

        await using var drop = await Command.RunAsync(
            Command.LocalCloud, "drop", images, "--data", fixture.Data, "--model", ServeFixture.Model, "--out", copies);

        Assert.Equal(1, drop.ExitCode); // One was rejected.
        Assert.Contains("30 done", drop.Output, StringComparison.Ordinal);
        Assert.Contains("1 rejected", drop.Output, StringComparison.Ordinal);
        var good = names.Where(name => name != "broken.png").ToList();
        Assert.Equal(31, names.Count);
        Assert.Equal(good.SelectMany(name => new[] { $"{name}.json", $"{name}.png" }), await ListAsync("results"));
        Assert.Equal(["broken.png", "broken.png.json"], await ListAsync("rejected"));
        Assert.Equal(names.Select(name => $"{name}.json").Order(StringComparer.Ordinal), Copies("*.json"));
        Assert.Equal(good.Select(name => $"{name}.png").Order(StringComparer.Ordinal), Copies("*.png"));
        foreach (var file in Directory.GetFiles(copies, "*.json"))
            JsonDocument.Parse(File.ReadAllText(file)).Dispose();

        IEnumerable<string> Copies(string pattern) =>
            Directory.GetFiles(copies, pattern).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal);
    }

    [Fact]
    public async Task An_archive_is_dropped_and_its_images_answers_come_back()
    {
        var images = folder.File("archived");
        await using var drawn =
            await Command.RunAsync(Command.LocalCloud, "faces", "--count", "5", "--seed", "9", "--out", images);
        Assert.True(drawn.ExitCode == 0, drawn.Output);
        var archive = folder.File("faces.zip");
        ZipFile.CreateFromDirectory(images, archive);
        var (names, copies) = (Directory.GetFiles(images, "*.png").Select(Path.GetFileName), folder.File("unpacked"));

        await using var drop = await Command.RunAsync(
            Command.LocalCloud, "drop", archive, "--data", fixture.Data, "--model", ServeFixture.Model, "--out", copies);

        Assert.Contains("5 done", drop.Output, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(copies, "faces.zip.json")), drop.Output);
        Assert.Equal(names.Select(name => $"{name}.png").Order(StringComparer.Ordinal),
            Directory.GetFiles(Path.Combine(copies, "faces.zip"), "*.png").Select(Path.GetFileName)
                .Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_image_that_is_dropped_again_is_answered_again()
    {
        await using var drawn = await Command.RunAsync(
            Command.LocalCloud, "faces", "--count", "8", "--seed", "8", "--out", folder.File("images/again"));
        string[] drop = ["drop", folder.File("images"), "--data", fixture.Data, "--model", ServeFixture.Model];

        await using var first = await Command.RunAsync(Command.LocalCloud, drop);
        await using var second = await Command.RunAsync(Command.LocalCloud, drop);

        Assert.True(first.ExitCode == 0, first.Output);
        Assert.True(second.ExitCode == 0, second.Output);
    }

    [Fact]
    public async Task Dropping_for_a_model_that_is_not_there_names_the_ones_that_are()
    {
        var image = folder.File("image.png", [1, 2, 3]);

        await using var drop =
            await Command.RunAsync(Command.LocalCloud, "drop", image, "--data", fixture.Data, "--model", "dogs");

        Assert.Equal(2, drop.ExitCode);
        Assert.Contains("No model 'dogs'", drop.Output, StringComparison.Ordinal);
        Assert.Contains(ServeFixture.Model, drop.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_serve_on_the_same_port_or_the_same_data_is_wrong_input()
    {
        await using var samePort =
            await Command.RunAsync(Command.LocalCloud, "serve", "--port", $"{fixture.Session.Port}", "--data", folder.Path);
        await using var sameData = await Command.RunAsync(
            Command.LocalCloud, "serve", "--port", $"{Port.Free()}", "--storage-port", $"{Port.Free()}", "--data", fixture.Data);

        Assert.Equal(2, samePort.ExitCode);
        Assert.Contains($"Port {fixture.Session.Port}", samePort.Output, StringComparison.Ordinal);
        Assert.Equal(2, sameData.ExitCode);
        Assert.Contains("--data", sameData.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Beside_serve_models_publish_and_rollback_speak_of_what_it_serves()
    {
        var first = (await CurrentAsync()).Version;
        await using var training = await Command.RunAsync(Command.LocalCloud, "train", "faces-vae", "--data", "faces:400",
            "--epochs", "1", "--seed", "2", "--model", ServeFixture.Model, "--out", folder.File("runs"));
        Assert.True(training.ExitCode == 0, training.Output);

        var published = await BesideServeAsync("publish", ServeFixture.Model, "--from", folder.File("runs"), "--force");
        var second = (await CurrentAsync()).Version;
        Assert.NotEqual(first, second);
        await ServesAsync(second);
        var listed = await BesideServeAsync("models");
        var back = await BesideServeAsync("rollback", ServeFixture.Model);
        Assert.Equal(first, (await CurrentAsync()).Version);
        await ServesAsync(first);

        var place = fixture.Store.Location;
        Assert.Contains($"in {place}", published, StringComparison.Ordinal);
        Assert.Contains($"in {place}:", listed, StringComparison.Ordinal);
        Assert.Matches($@"serves +{second}", listed);
        Assert.Contains($"{ServeFixture.Model}: {first} serves now in {place}.", back, StringComparison.Ordinal);
    }

    async Task<string> BesideServeAsync(params string[] command)
    {
        await using var run = await Command.RunAsync("env", [$"VAE_DATA={fixture.Data}", Command.LocalCloud, .. command]);
        Assert.True(run.ExitCode == 0, run.Output);
        return run.Output;
    }

    async Task<CurrentPointer> CurrentAsync() => (await new ModelRegistry(fixture.Store).ReadCurrentAsync(ServeFixture.Model))!;

    /// <summary>Waits until the running server answers by a version.</summary>
    async Task ServesAsync(string version)
    {
        using var http = new HttpClient();
        var address = $"http://localhost:{fixture.Session.Port}/api/models/{ServeFixture.Model}/concepts";
        for (var tries = 0; ; tries++, await Task.Delay(100))
        {
            var serves = (string?)JsonNode.Parse(await http.GetStringAsync(address))!["version"];
            if (serves == version)
                return;
            Assert.True(tries < 600, $"{serves} serves and not {version}.");
        }
    }

    async Task<List<string>> ListAsync(string container)
    {
        var names = new List<string>();
        await foreach (var entry in fixture.Store.ListAsync($"{container}/{ServeFixture.Model}/"))
            names.Add(entry.Path.Split('/', 3)[2]);
        // What other tests drop lies in a folder or an archive.
        return [.. names.Where(name => !name.StartsWith("again/", StringComparison.Ordinal)
            && !name.StartsWith("faces.zip", StringComparison.Ordinal))];
    }
}
