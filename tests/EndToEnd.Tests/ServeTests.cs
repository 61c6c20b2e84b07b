using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;
using Azure.Storage.Blobs;
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
    public async Task Blobs_of_the_running_storage_are_fetched_and_odd_names_are_counted()
    {
        foreach (var name in (string[])["a.json", "deep/b.png"])
            await fixture.Store.WriteAsync($"results/fetched/{name}", BinaryData.FromString(name));
        var container = new BlobServiceClient(Azurite.ConnectionString(fixture.Session.StoragePort))
            .GetBlobContainerClient("results");
        foreach (var name in (string[])["fetched//double.png", $"fetched/{new string('n', 300)}.png"])
            await container.UploadBlobAsync(name, BinaryData.FromString(name));
        string[] command = ["fetch", "results/fetched/", "--data", fixture.Data, "--out", folder.File("fetched")];

        await using var first = await Command.RunAsync(Command.LocalCloud, command);
        await using var second = await Command.RunAsync(Command.LocalCloud, command);
        await using var wrong = await Command.RunAsync(
            Command.LocalCloud, "fetch", "results/Fetched/", "--data", fixture.Data, "--out", folder.File("fetched"));

        Assert.Equal(1, first.ExitCode);
        Assert.Contains($"2 files (0.0 MB) of results/fetched/ fetched into {folder.File("fetched")}, 2 blobs skipped.",
            first.Output, StringComparison.Ordinal);
        Assert.Contains("a segment is empty", first.Output, StringComparison.Ordinal);
        Assert.Contains("the file system refuses its name", first.Output, StringComparison.Ordinal);
        Assert.Equal("deep/b.png", File.ReadAllText(folder.File("fetched/deep/b.png")));
        Assert.Equal(2, Directory.GetFiles(folder.File("fetched"), "*", SearchOption.AllDirectories).Length);
        Assert.Equal(1, second.ExitCode);
        Assert.Equal(2, wrong.ExitCode);
        Assert.Contains("case counts", wrong.Output, StringComparison.Ordinal);
        Assert.Contains(" fetched/", wrong.Output, StringComparison.Ordinal);
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

    [Fact]
    public async Task Help_names_the_storage_that_is_meant_where_none_is_named()
    {
        foreach (var command in (string[])["models", "rollback"])
        {
            var help = string.Join(' ', (await BesideServeAsync(command, "--help")).Split((char[]?)null,
                StringSplitOptions.RemoveEmptyEntries));
            Assert.Contains("unless given, the storage of a running ./vae serve, and ./runs where none runs", help,
                StringComparison.Ordinal);
            Assert.DoesNotContain("[default: blob]", help, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Serve_says_that_the_folder_of_runs_is_missing_and_how_to_train_into_it()
    {
        var none = folder.File("none");
        string[] serve = ["serve", "--port", $"{Port.Free()}", "--storage-port", $"{Port.Free()}", "--data", folder.File("data"),
            "--runs"];
        await using (var first = Command.Start(Command.LocalCloud, [.. serve, fixture.Folder.File("runs")]))
            await first.WaitForAsync("Ctrl-C stops");

        await using var second = Command.Start(Command.LocalCloud, [.. serve, none]);
        await second.WaitForAsync("Ctrl-C stops");

        Assert.Contains($"{none} does not exist, so nothing new is published; ./vae train RECIPE --out {none} trains into it",
            second.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_export_removes_the_files_of_the_first_and_no_others()
    {
        var (site, runs) = (folder.File("site"), folder.File("runs"));
        await using var training = await Command.RunAsync(Command.LocalCloud, "train", "faces-vae", "--data", "faces:400",
            "--epochs", "1", "--model", "other-faces", "--out", runs);
        Assert.True(training.ExitCode == 0, training.Output);
        await ExportAsync(ServeFixture.Model, fixture.Folder.File("runs"));
        Assert.NotEmpty(Directory.GetDirectories(Path.Combine(site, "models", ServeFixture.Model)));
        File.WriteAllText(Path.Combine(site, "models", "mine.txt"), "a person's");
        var (list, outside) = (Path.Combine(site, "explorer.json"), folder.File("outside.txt", [1]));
        var export = JsonNode.Parse(File.ReadAllText(list))!;
        export["files"]!.AsArray().Add("../outside.txt");
        File.WriteAllText(list, export.ToJsonString());

        await ExportAsync("other-faces", runs);

        Assert.False(Directory.Exists(Path.Combine(site, "models", ServeFixture.Model)));
        Assert.NotEmpty(Directory.GetDirectories(Path.Combine(site, "models", "other-faces")));
        Assert.True(File.Exists(Path.Combine(site, "models", "mine.txt")));
        Assert.True(File.Exists(Path.Combine(site, "explorer", "app.js")));
        Assert.True(File.Exists(outside));

        async Task ExportAsync(string model, string from)
        {
            await using var command = await Command.RunAsync(
                Command.LocalCloud, "explore", model, "--export", site, "--runs", from, "--data", folder.File("nothing"));
            Assert.True(command.ExitCode == 0, command.Output);
        }
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
