using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using VaeFunctions.Commands;
using VaeFunctions.Registry;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Training;

/// <summary>The real program, from its arguments to its exit code.</summary>
public sealed class CommandLineTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("command-line-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    Process Start(StringBuilder output, params string[] arguments)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "VaeFunctions.TrainingJob.dll");
        var start = new ProcessStartInfo("dotnet", [program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        start.Environment.Remove("VaeStorage");
        var process = Process.Start(start)!;
        process.OutputDataReceived += Collect;
        process.ErrorDataReceived += Collect;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;

        void Collect(object sender, DataReceivedEventArgs line)
        {
            lock (output) output.AppendLine(line.Data);
        }
    }

    async Task<(int ExitCode, string Output)> RunAsync(params string[] arguments)
    {
        var output = new StringBuilder();
        using var process = Start(output, arguments);
        await process.WaitForExitAsync();
        return (process.ExitCode, output.ToString());
    }

    static string[] Train(string store, params string[] more) => Train(store, 2, more);

    static string[] Train(string store, int epochs, params string[] more) =>
        ["train", "faces-vae", "--data", "faces:320", "--epochs", $"{epochs}", "--batch-size", "16", "--out", store, .. more];

    async Task<string> WeightsAsync(string store)
    {
        var registry = new ModelRegistry(new FolderBlobStore(Path.Combine(folder, store)));
        var manifest = await registry.ReadManifestAsync("faces-vae", (await registry.ReadCurrentAsync("faces-vae"))!.Version);
        var weights = Safetensors.Read(await registry.ReadFileAsync(manifest, "weights.safetensors"));
        return string.Join('\n', weights.Tensors.Select(tensor => tensor.Name
            + Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(tensor.Data.Span))));
    }

    async Task WaitForCheckpointAsync(string store)
    {
        var blobs = new FolderBlobStore(Path.Combine(folder, store));
        for (var deadline = DateTime.UtcNow.AddMinutes(1); DateTime.UtcNow < deadline; await Task.Delay(20))
        {
            if (await Checkpoint.NewestRunAsync(blobs, "faces-vae") is { } run
                && (await Checkpoint.ReadAsync(blobs, "faces-vae", run)).State.Batch > 0)
                return;
        }
        Assert.Fail("No checkpoint was written in the middle of an epoch.");
    }

    /// <summary>The model is built: its first steps are under way, and nothing but the signal makes it save.</summary>
    static async Task WaitForStepsAsync(StringBuilder log)
    {
        for (var deadline = DateTime.UtcNow.AddMinutes(1); DateTime.UtcNow < deadline; await Task.Delay(20))
        {
            lock (log)
            {
                if (log.ToString().Contains(" weights, ")) break;
            }
        }
        await Task.Delay(200);
    }

    [Fact]
    public async Task A_run_that_a_signal_ended_in_the_middle_of_an_epoch_goes_on_to_the_same_weights()
    {
        const int Epochs = 10; // long enough to be looked at in the middle by a test that is kept waiting
        var (code, output) = await RunAsync(Train("whole", Epochs));
        Assert.True(code == 0, output);

        await Ended("KILL", 137, "--save-every", "0.05");
        await Ended("TERM", 130);

        async Task Ended(string signal, int exitCode, params string[] more)
        {
            var store = $"cut by {signal}";
            var log = new StringBuilder();
            using (var process = Start(log, Train(store, Epochs, ["--threads", "1", .. more])))
            {
                if (signal == "KILL") await WaitForCheckpointAsync(store);
                else await WaitForStepsAsync(log);
                Process.Start("kill", [$"-{signal}", $"{process.Id}"]).WaitForExit();
                await process.WaitForExitAsync();
                Assert.True(process.ExitCode == exitCode, $"{process.ExitCode}: {log}");
                if (signal == "TERM")
                    Assert.Matches($@"To go on: \./vae train faces-vae --data faces:320 --epochs {Epochs} --batch-size 16 "
                        + @"--out 'cut by TERM' --threads 1 --resume \d{8}T\d{6}Z", log.ToString());
            }
            Assert.Empty(await new ModelRegistry(new FolderBlobStore(Path.Combine(folder, store))).ListModelsAsync());

            // Recipe, overrides and data are in the checkpoint.
            (code, output) = await RunAsync("train", "faces-vae", "--out", store, "--resume");
            Assert.True(code == 0, output);
            Assert.Contains("going on with run", output);
            Assert.Equal(await WeightsAsync("whole"), await WeightsAsync(store));
        }
    }

    [Fact]
    public void The_command_that_goes_on_is_the_one_that_was_typed()
    {
        var root = CommandRunner.Root("", TrainingCommands.All());
        var parsed = root.Parse(
            ["train", "--data", "folder:my 'best' pictures", "--minutes=5", "--resume", "auto", "--if-changed"]);

        Assert.Equal(@"./vae train --data 'folder:my '\''best'\'' pictures' --if-changed",
            TrainOptions.Retyped(parsed, "--resume", "--minutes"));
    }

    [Fact]
    public async Task With_if_changed_each_recipe_and_data_is_trained_once_and_no_rollback_undone()
    {
        Assert.DoesNotContain("unchanged", await OnceAsync(versions: 1));
        var again = await OnceAsync(versions: 1);
        Assert.Contains("unchanged", again);
        Assert.Matches(@"serving: faces-vae \w+, promoted (just now|a minute ago|\d+ minutes ago)", again);
        await OnceAsync(versions: 2, "faces:336", "--force");

        var (code, output) = await RunAsync("rollback", "faces-vae", "--store", "runs");
        Assert.True(code == 0, output);
        Assert.Contains("unchanged", await OnceAsync(versions: 2, "faces:336"));
        await OnceAsync(versions: 3, "faces:336", "--learning-rate", "0.002");

        async Task<string> OnceAsync(int versions, string data = "faces:320", params string[] more)
        {
            var (code, output) = await RunAsync(
                ["train", SmallRecipe.Faces, "--data", data, "--epochs", "1", "--out", "runs", "--if-changed", .. more]);
            Assert.True(code == 0, output);
            Assert.Equal(versions, (await new ModelRegistry(new FolderBlobStore(Path.Combine(folder, "runs")))
                .ListVersionsAsync("faces-vae")).Count);
            return output;
        }
    }

    [Fact]
    public async Task The_same_command_goes_on_with_its_own_unfinished_run_and_starts_anew_otherwise()
    {
        string[] command = Train("runs", "--resume", "auto", "--threads", "1");
        var log = new StringBuilder();
        using (var process = Start(log, command))
        {
            await WaitForStepsAsync(log);
            Process.Start("kill", ["-TERM", $"{process.Id}"]).WaitForExit();
            await process.WaitForExitAsync();
            Assert.True(process.ExitCode == 130 && !log.ToString().Contains("going on"), log.ToString());
        }
        string[] elsewhere = [.. command.Select(word => word == "faces:320" ? "faces:336" : word), "--no-publish"];
        await Done(goesOn: false, elsewhere); // other images: the run above is not theirs
        Directory.Delete(Path.Combine(folder, "runs", "checkpoints", "faces-vae", await NewestRunAsync()), recursive: true);
        await Done(goesOn: true, command);
        await Done(goesOn: false, [.. command, "--no-publish"]);
        await Done(goesOn: true, command); // trained to the end, but no version yet

        Task<string> NewestRunAsync() =>
            Checkpoint.NewestRunAsync(new FolderBlobStore(Path.Combine(folder, "runs")), "faces-vae")!;

        async Task Done(bool goesOn, string[] arguments)
        {
            await Task.Delay(1000); // runs and versions are named by the second
            var (code, output) = await RunAsync(arguments);
            Assert.True(code == 0 && output.Contains("going on with run", StringComparison.Ordinal) == goesOn, output);
        }
    }

    [Fact]
    public async Task Wrong_input_is_answered_with_what_helps_and_exit_code_2()
    {
        Directory.CreateDirectory(Path.Combine(folder, "empty"));
        await Refused("mnist-vae-20", "train", "no-such-recipe");
        await Refused("--data", "train", "mnist-vae-20");
        await Refused("empty", "train", "faces-vae", "--data", "folder:empty");
        await Refused("nowhere", "train", "faces-vae", "--data", "folder:nowhere");
        await Refused("folder:", "train", "faces-vae", "--data", "magic:beans");
        await Refused("--epochs is many; give a whole number", "train", "faces-vae", "--epochs", "many");
        await Refused("Did you mean --epochs?", "train", "faces-vae", "--epoch", "3");
        await Refused("--minutes is two; give a number", "train", "faces-vae", "--minutes", "two");
        await Refused("--tolerance is x; give a number", "train", "faces-vae", "--tolerance", "x");
        await Refused("Did you mean --minutes?", "train", "--minuts", "2");
        await Refused("Did you mean --epochs?", "train", "--epocs=3");
        await Refused("Did you mean train?", "trian", "faces-vae");
        await Refused("stretch", "train", "faces-vae", "--fit", "squash");
        await Refused("leave --minutes out", "train", "faces-vae", "--minutes", "2", "--resume");
        await Refused("--data folder:empty", "train", "empty");
        await Refused("--data folder:empty", "train", "folder:empty");
        await Refused("epochs is 0", "train", "faces-vae", "--epochs", "0");
        await Refused("learningRate", "train", "faces-vae", "--learning-rate", "0");
        await Refused("resume", "train", "faces-vae", "--data", "faces:8", "--resume");
        await Refused("VaeStorage", "train", "faces-vae", "--data", "faces:8", "--out", "blob");
        await Refused("lower-case", "train", "faces-vae", "--data", "faces:8", "--model", "../Upwards");
        await Refused("lower-case", "train", "--data", "folder:nowhere", "--model", "Upwards"); // before any image is looked at
        await Refused("no-such-model", "evaluate", "no-such-model");
        await Refused("no-such-model", "rollback", "no-such-model");
        await Refused("--draws must be from 1", "evaluate", "faces-vae", "--draws", "0");
        await Refused("0 labels", "anomaly-benchmark", "faces-vae", "--data", "faces:8");
        await Refused("no-claims.json", "results", "--claims", "no-claims.json");
        await Refused("no-such-model", "publish", "no-such-model", "--to", "elsewhere");
        await Refused("nothing.safetensors", "export", "mnist-vae-20", "--weights", "nothing.safetensors");
        await Refused("frobnicate", "frobnicate");

        async Task Refused(string expected, params string[] arguments)
        {
            var (exitCode, output) = await RunAsync(arguments);
            Assert.True(exitCode == 2 && output.Contains(expected, StringComparison.OrdinalIgnoreCase)
                && !output.Contains("   at "),
                $"{string.Join(' ', arguments)} gave {exitCode}:\n{output}");
        }
    }

    [Theory]
    [InlineData("\"hidden\": [400]", "\"hidden\": [0]", "model.hidden is 0")]
    [InlineData("\"height\": 28", "\"height\": 0", "model.image.height is 0")]
    [InlineData("\"hidden\": [400]", "\"hidden\": [40000], \"latent\": 5000", "2 GB")]
    [InlineData("\"hidden\": [400]", "\"hidden\": [65536], \"latent\": 65536", "65536")]
    public async Task A_model_that_cannot_be_trained_is_refused_before_its_images_are_looked_for(
        string before, string after, string expected)
    {
        var recipe = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "recipes", "mnist-vae-20.json"));
        Assert.Contains(before, recipe);
        if (after.Contains("latent")) recipe = Regex.Replace(recipe, "\"latent\": 20,", "");
        await File.WriteAllTextAsync(Path.Combine(folder, "wrong.json"), recipe.Replace(before, after));
        var (exitCode, output) = await RunAsync("train", "wrong.json", "--data", "folder:nowhere");
        Assert.True(exitCode == 2 && output.Contains(expected) && !output.Contains("nowhere")
            && !output.Contains("   at "), $"{exitCode}: {output}");
    }

    [SkippableFact]
    public async Task On_a_terminal_one_sees_how_many_images_are_read()
    {
        Skip.IfNot(File.Exists("/usr/bin/script"), "There is no /usr/bin/script to make a terminal with.");
        await RunAsync("faces", "--count", "120", "--out", "images");
        var program = Path.Combine(AppContext.BaseDirectory, "VaeFunctions.TrainingJob.dll");
        var start = new ProcessStartInfo("/usr/bin/script", ["-qec", $"dotnet '{program}' train faces-vae --data folder:images "
            + "--epochs 1 --no-publish", "/dev/null"])
        {
            RedirectStandardOutput = true,
            WorkingDirectory = folder,
            Environment = { ["TERM"] = "xterm", ["CI"] = null, ["VAE_CACHE"] = "off" },
        };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0 && output.Contains("120 of 120 images read"), $"{process.ExitCode}: {output}");
    }

    [Fact]
    public async Task What_was_published_can_be_listed_measured_copied_exported_and_trained_on()
    {
        await Done(Train("runs"));
        Assert.Contains("serves", await Done("models", "--store", "runs"));
        var evaluation = await Done("evaluate", "faces-vae", "--store", "runs", "--data", "faces:120", "--draws", "4", "--images",
            "3", "--strangers", "faces:40");
        foreach (var part in (string[])["loss", "active_units", "bound_nats", "ssim", "mutual_information_gap",
            "error_quantile_0.99", "images of faces:40 told from", "strangers_joint", "glasses",
            "written to evaluations/faces-vae/"])
            Assert.Contains(part, evaluation);
        await File.WriteAllTextAsync(Path.Combine(folder, "claims.json"), """
            { "introduction": "", "sections": [{ "title": "", "text": "", "claims": [
              { "model": "faces-vae", "metric": "test_loss", "what": "loss" }] }] }
            """);
        await Done("results", "--store", "runs", "--claims", "claims.json");
        var page = await File.ReadAllTextAsync(Path.Combine(folder, "results", "results.md"));
        Assert.Contains("images/results/faces-vae-samples.png", page);
        Assert.Contains("./vae train faces-vae --data faces:320 --epochs 2\n", page);
        Assert.True(File.Exists(Path.Combine(folder, "results", "images", "results", "faces-vae-reconstructions.png")));
        Assert.Contains("it serves now", await Done("publish", "faces-vae", "--from", "runs", "--to", "copy"));
        var weights = Directory.EnumerateFiles(Path.Combine(folder, "copy"), "weights.safetensors", SearchOption.AllDirectories)
            .Single();
        await Done("export", "faces-vae", "--weights", weights, "--to", "graphs");
        Assert.True(new FileInfo(Path.Combine(folder, "graphs", "decoder.onnx")).Length > 100_000);
        Assert.Contains("after epoch 2", await Done("train", "faces-vae", "--epochs", "3", "--out", "runs", "--resume"));
        Assert.Contains("serves now", await Done("rollback", "faces-vae", "--store", "runs"));
        await File.WriteAllTextAsync(Path.Combine(folder, "runs/models/faces-vae/current.json"), "{");
        var list = await Done("models", "--store", "runs");
        Assert.Contains("damaged: models/faces-vae/current.json", list, StringComparison.Ordinal);
        Assert.Matches(@"test loss \d+\.\d\d of \d+ images", list);
        await Done("rollback", "faces-vae", "--to", Path.GetFileName(Path.GetDirectoryName(weights)!), "--store", "runs");
        var (exitCode, refusal) = await RunAsync("train", "faces-vae", "--epochs", "1", "--out", "runs", "--resume");
        Assert.True(exitCode == 2 && refusal.Contains("more --epochs"), refusal);

        async Task<string> Done(params string[] arguments)
        {
            var (code, output) = await RunAsync(arguments);
            Assert.True(code == 0, $"{string.Join(' ', arguments)} gave {code}:\n{output}");
            return output;
        }
    }
}
