using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using VaeFunctions.Registry;
using VaeFunctions.Tensors;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Sweeps;

/// <summary>The real program: alone on a folder, and two of them on a storage account.</summary>
[Collection(AzuriteFixture.Name)]
public sealed partial class SweepCommandTests(AzuriteFixture azurite) : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    readonly string folder = Directory.CreateTempSubdirectory("sweep-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    sealed class Program : IDisposable
    {
        readonly StringBuilder output = new();
        readonly Process process;

        public Program(string folder, string? storage, params string[] arguments)
        {
            var start = new ProcessStartInfo("dotnet",
                [Path.Combine(AppContext.BaseDirectory, "VaeFunctions.TrainingJob.dll"), "sweep", .. arguments, "--threads", "1"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = folder,
            };
            start.Environment["VaeStorage"] = storage;
            start.Environment[StartupHook.Variable] = typeof(SweepCommandTests).Assembly.Location;
            process = Process.Start(start)!;
            process.OutputDataReceived += Collect;
            process.ErrorDataReceived += Collect;
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
        }

        public string Output
        {
            get
            {
                lock (output) return output.ToString();
            }
        }

        public async Task<int> EndAsync()
        {
            await process.WaitForExitAsync().WaitAsync(Patience);
            return process.ExitCode;
        }

        public async Task SaysAsync(string text)
        {
            for (var watch = Stopwatch.StartNew(); !Output.Contains(text, StringComparison.Ordinal); await Task.Delay(20))
            {
                if (process.HasExited)
                    Assert.Fail($"It ended with exit code {await EndAsync()} before it said \"{text}\":\n{Output}");
                Assert.True(watch.Elapsed < Patience, $"It never said \"{text}\":\n{Output}");
            }
        }

        public void Kill() => process.Kill();

        public void Signal(string name) => Process.Start("kill", [$"-{name}", $"{process.Id}"]).WaitForExit();

        /// <summary>Halts it in the middle of a trial; between two it would leave nothing to take over.</summary>
        public async Task HaltInATrialAsync(IBlobStore store)
        {
            for (var watch = Stopwatch.StartNew(); watch.Elapsed < Patience;)
            {
                Signal("STOP");
                await Task.Delay(200); // output in the pipe and requests under way arrive
                if (TrialBegun().Matches(Output) is [.., var last])
                {
                    var number = int.Parse(last.Groups[1].Value, CultureInfo.InvariantCulture);
                    var trial = $"checkpoints/{SweepName().Match(Output).Value}/{number:000}";
                    if (await IsThereAsync($"{trial}.tries.json") && !await IsThereAsync($"{trial}.json"))
                        return;
                }
                Signal("CONT");
                await Task.Delay(50);
                Assert.False(process.HasExited, $"It ended before it could be halted:\n{Output}");
            }
            Assert.Fail($"It was never in a trial:\n{Output}");

            async Task<bool> IsThereAsync(string path) => await store.TryReadAsync(path, 1 << 20) is not null;
        }

        public void Dispose()
        {
            if (!process.HasExited) process.Kill();
            process.Dispose();
        }

        void Collect(object sender, DataReceivedEventArgs line)
        {
            lock (output) output.AppendLine(line.Data);
        }
    }

    [Fact]
    public async Task On_one_machine_the_best_is_published_and_started_again_nothing_is_done_twice()
    {
        string[] arguments =
            [SmallRecipe.Faces, "--data", "faces:160", "--epochs", "1", "--set", "optimizer.learningRate=1e-6,1e-3,3e-3",
            "--out", "store"];
        using (var stopped = new Program(folder, null, arguments))
        {
            await stopped.SaysAsync("trial 2 of 3");
            stopped.Signal("TERM");
            Assert.Equal(130, await stopped.EndAsync());
        }
        using var first = new Program(folder, null, arguments);
        Assert.True(await first.EndAsync() == 0, first.Output);
        Assert.DoesNotContain("trial 1 of 3", first.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("try 2", first.Output, StringComparison.Ordinal);
        using var again = new Program(folder, null, arguments);
        Assert.True(await again.EndAsync() == 0, again.Output);
        Assert.Contains("is published already", again.Output, StringComparison.Ordinal);

        var store = new FolderBlobStore(Path.Combine(folder, "store"));
        Assert.Null(await Checkpoint.NewestRunAsync(store, "faces-vae")); // which would hide an older run from --resume
        var registry = new ModelRegistry(store);
        Assert.Equal(["faces-vae"], await registry.ListModelsAsync());
        var version = Assert.Single(await registry.ListVersionsAsync("faces-vae"));
        var manifest = await registry.ReadManifestAsync("faces-vae", version);
        var losses = Row().Matches(again.Output).Select(row =>
            (Rate: float.Parse(row.Groups[1].Value, null), Loss: double.Parse(row.Groups[2].Value, null))).ToList();
        Assert.Equal(3, losses.Count);
        Assert.Equal(losses.OrderBy(row => row.Loss), losses);
        Assert.Equal(losses[0].Loss, manifest.Metrics[Manifest.TestLoss], 1e-5 * losses[0].Loss);
        Assert.Equal(losses[0].Rate, Recipe.Parse(manifest.Recipe.GetRawText(), "published").Optimizer.LearningRate);
    }

    [SkippableFact]
    public async Task Two_processes_share_the_trials_and_what_a_killed_one_had_is_trained_by_the_other()
    {
        string[] arguments =
        [
            "faces-vae", "--model", $"sweep{Guid.NewGuid():n}"[..12], "--data", "faces:320", "--epochs", "4", "--set",
                "optimizer.learningRate=5e-4,1e-3,2e-3,3e-3", "--out", "blob", "--patience", "4",
        ];
        using var killed = new Program(folder, azurite.ConnectionString, arguments);
        await killed.SaysAsync("epoch 1/4");
        using var other = new Program(folder, azurite.ConnectionString, arguments);
        await other.SaysAsync(" weights, ");
        var store = BlobStores.Open(azurite.ConnectionString);
        await killed.HaltInATrialAsync(store);
        killed.Kill();

        Assert.True(await other.EndAsync() == 0, other.Output);

        Assert.Contains("(try 2 of 3)", other.Output, StringComparison.Ordinal);
        Assert.Equal(4, Row().Count(other.Output));
        var registry = new ModelRegistry(store);
        Assert.Equal((await registry.ReadCurrentAsync(arguments[2]))!.Version,
            Assert.Single(await registry.ListVersionsAsync(arguments[2])));
        using var late = new Program(folder, azurite.ConnectionString, arguments);
        Assert.True(await late.EndAsync() == 0, late.Output);
        Assert.Contains("is published already", late.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("optimizer.learningRate=1e-3,1e30")] // diverges
    [InlineData("model.image.height=32,33")] // cannot be built: 33 rows are not halved
    [InlineData("model.image.width=32,520")] // the images do not fit
    public async Task A_trial_that_fails_is_reported_and_the_others_are_compared(string setting)
    {
        using var program = new Program(
            folder, null, SmallRecipe.Faces, "--data", "faces:160", "--epochs", "1", "--set", setting, "--out", "store");
        Assert.True(await program.EndAsync() == 0, program.Output);
        Assert.Contains("trial 2 failed: ", program.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("given up", program.Output, StringComparison.Ordinal);
        Assert.Contains("publishing trial 1", program.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_device_that_is_not_there_is_refused_before_a_trial_counts_as_tried()
    {
        using var program =
            new Program(folder, null, "faces-vae", "--data", "faces:160", "--set", "model.latent=4,8", "--out", "store",
            "--device", "cuda:999");
        Assert.True(await program.EndAsync() == 2, program.Output);
        Assert.Contains("--device cuda", program.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("trial", program.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(folder, "store")));
    }

    [SkippableTheory]
    [InlineData(Devices.Cpu)]
    [InlineData(Devices.TorchCpu)]
    public async Task Trials_and_the_publication_run_where_the_sweep_is_told_to(string device)
    {
        string backend;
        try
        {
            backend = Devices.Open(device, threads: 1).Device;
        }
        catch (DeviceException e)
        {
            throw new SkipException(e.Message);
        }
        using var program = new Program(
            folder, null, SmallRecipe.Faces, "--data", "faces:160", "--epochs", "1", "--set", "model.latent=4,8",
            "--out", "store", "--device", device, "--tf32");
        Assert.True(await program.EndAsync() == 0, program.Output);
        Assert.Equal(3, Regex.Count(program.Output, $"; on {Regex.Escape(backend)}\r?$", RegexOptions.Multiline));
    }

    [GeneratedRegex(@"\S+\.sweep-\w+")]
    private static partial Regex SweepName();

    [GeneratedRegex(@"^trial (\d+) of", RegexOptions.Multiline)]
    private static partial Regex TrialBegun();

    [GeneratedRegex(@"^ +\d+  optimizer\.learningRate=(\S+) +(\d\S*) +\d+ +\d\S*\s*$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
