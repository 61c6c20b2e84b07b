using System.Diagnostics;
using System.Security.Cryptography;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests;

/// <summary>Where in a scheduled training something goes wrong.</summary>
public enum Moment
{
    /// <summary>It is killed between two steps.</summary>
    Epoch,

    /// <summary>It is killed while it writes a checkpoint.</summary>
    Checkpoint,

    /// <summary>It is killed between the last epoch and the first file of the version.</summary>
    Measuring,

    /// <summary>It is killed while it writes the version's files, its manifest or the pointer.</summary>
    Publication,

    /// <summary>It goes on, but its storage breaks off, is busy, or answers half.</summary>
    Storage,
}

/// <summary>Kills a scheduled training with signal 9 at random moments, runs the schedule again, and checks that the weights
/// serve that a training serves which nobody interrupted.</summary>
/// <param name="program">The training job's assembly.</param>
/// <param name="store">Where it writes.</param>
/// <param name="work">The store's folder or, where it is an account, one to work in.</param>
/// <param name="proxy">What stands before the account; null where there is none.</param>
sealed class KillCampaign(string program, IBlobStore store, string work, FaultProxy? proxy, ulong seed, Action<string> log)
{
    /// <summary>What the names of its models begin with.</summary>
    public const string Prefix = "heal-";

    readonly string? folder = proxy is null ? work : null;
    readonly RandomStream random = new(seed, "kills");
    readonly string name = $"{Prefix}{Guid.NewGuid():N}"[..16];
    TimeSpan epochs, measuring;
    string expected = "";
    int models;

    /// <summary>Runs the same training once to its end, for its weights and its times.</summary>
    public async Task MeasureAsync()
    {
        var model = $"{name}-whole";
        var clock = new Stopwatch();
        using var training = Start(model, (line, _) =>
        {
            if (line.Contains(" weights, ", StringComparison.Ordinal)) clock.Restart();
            if (line.Contains("epoch 2/2", StringComparison.Ordinal)) epochs = clock.Elapsed;
            if (line.StartsWith("published", StringComparison.Ordinal)) measuring = clock.Elapsed - epochs;
        });
        await training.EndAsync();
        expected = await WeightsAsync(store, model);
        log($"epochs {epochs.TotalMilliseconds:0} ms, measuring and publication {measuring.TotalMilliseconds:0} ms");
    }

    /// <summary>Lets something go wrong once; null where the right weights serve in the end, or what is wrong.</summary>
    /// <param name="tries">How often the schedule may run afterwards until a run ends well: more than once where others let the
    /// storage fail meanwhile.</param>
    public async Task<string?> TryAsync(Moment moment, int tries = 1)
    {
        var model = $"{name}-{++models}";
        var first = await InterruptAsync(model, moment);
        while (true)
        {
            using var again = Start(model, (_, _) => { });
            var code = await again.EndAsync();
            if (code != 0 && --tries > 0)
                continue;
            var outcome = OutcomeOf(await WeightsAsync(store, model));
            log($"{moment}: {first}; then exit code {code}, {outcome ?? "the same weights serve"}");
            return code == 0 && outcome is null ? null : $"{moment}, {first}: exit code {code}, {outcome}. {again.Output}";
        }
    }

    /// <summary>Why no small disk can be made in a folder; null where one can.</summary>
    public static async Task<string?> WhyNoSmallDiskAsync(string folder)
    {
        using var probe = new Training("unshare", folder, null,
            ["-rm", "sh", "-c", "mkdir -p probe && mount -t tmpfs -o size=1m tmpfs probe && exit 0; exit 1"], (_, _) => { });
        return await probe.EndAsync() == 0 ? null : probe.Output.Trim();
    }

    /// <summary>Trains on a disk that holds one checkpoint but not the next one beside it, and again when there is more room;
    /// null where the right weights serve in the end, or what is wrong.</summary>
    public async Task<string?> TryFullDiskAsync()
    {
        var place = Directory.CreateDirectory(Path.Combine(work, $"disk-{++models}")).FullName;
        var train = $"dotnet '{program}' {string.Join(' ', Arguments($"{name}-disk", "disk"))}";
        using var training = new Training("unshare", place, null, ["-rm", "sh", "-c", $"""
            mkdir disk && mount -t tmpfs -o size=20m tmpfs disk
            {train}; echo "first $?"
            mount -o remount,size=500m disk
            {train}; echo "second $?"
            cp -r disk copy
            """], (_, _) => { });
        await training.EndAsync();
        var outcome = OutcomeOf(await WeightsAsync(new FolderBlobStore(Path.Combine(place, "copy")), $"{name}-disk"));
        var codes = training.Output.Contains("first 1\n", StringComparison.Ordinal)
            && training.Output.Contains("second 0\n", StringComparison.Ordinal);
        log($"a disk is full, then has room: {outcome ?? "the same weights serve"}");
        Directory.Delete(place, recursive: true);
        return codes && outcome is null ? null : $"a full disk: {outcome}. {training.Output}";
    }

    string? OutcomeOf(string found) => found == expected ? null : found.Length == 0 ? "nothing serves" : "other weights serve";

    async Task<string> InterruptAsync(string model, Moment moment)
    {
        var clock = Stopwatch.StartNew();
        var at = "";
        Training training = null!;
        using var ready = new ManualResetEventSlim();
        var after = random.NextDouble();
        var count = moment switch
        {
            Moment.Checkpoint => 1 + random.NextInt(4),
            Moment.Publication => 1 + random.NextInt(folder is null ? 10 : 20),
            _ => 0,
        };
        using var watched = folder is null ? null : Watch(model, moment, () => Count("a file"));
        if (proxy is not null)
        {
            var before = random.NextInt(2) == 0;
            proxy.Decide = (method, path) =>
            {
                if (moment == Moment.Storage) return random.NextInt(12) == 0 ? (Fault)(1 + random.NextInt(3)) : Fault.None;
                if (before && method == "PUT" && IsOf(path)) Count("a request");
                return Fault.None;
            };
            proxy.Answered = (method, path) =>
            {
                if (!before && method == "PUT" && IsOf(path)) Count("an answer");
            };
        }
        training = Start(model, (line, running) =>
        {
            if ((moment == Moment.Epoch && line.Contains(" weights, ", StringComparison.Ordinal))
                || (moment == Moment.Measuring && line.Contains("epoch 2/2", StringComparison.Ordinal)))
            {
                Thread.Sleep((moment == Moment.Epoch ? epochs : measuring) * after);
                Kill(running, $"after \"{line.Split(':')[0]}\" and {after:P0}");
            }
        });
        ready.Set();
        using (training)
        {
            var code = await training.EndAsync();
            if (proxy is not null) (proxy.Decide, proxy.Answered) = ((_, _) => Fault.None, (_, _) => { });
            return at.Length > 0 ? $"killed {at}" : $"not killed, exit code {code}";
        }

        bool IsOf(string path) => path.StartsWith(moment == Moment.Checkpoint ? $"checkpoints/{model}/" : $"models/{model}/",
            StringComparison.Ordinal) && moment is Moment.Checkpoint or Moment.Publication;

        void Count(string what)
        {
            if (Interlocked.Decrement(ref count) != 0) return;
            ready.Wait();
            if (folder is not null) Thread.Sleep(TimeSpan.FromMilliseconds(3 * after));
            Kill(training, $"at {what}");
        }

        void Kill(Training running, string why)
        {
            at = $"{why}, {clock.ElapsedMilliseconds} ms after its start";
            running.Kill();
        }
    }

    /// <summary>Tells of every file that is made, or named, where a moment is to be caught.</summary>
    FileSystemWatcher? Watch(string model, Moment moment, Action tell)
    {
        if (moment is not (Moment.Checkpoint or Moment.Publication)) return null;
        var place = Path.Combine(folder!, moment == Moment.Checkpoint ? "checkpoints" : "models");
        Directory.CreateDirectory(place);
        var watcher = new FileSystemWatcher(place) { IncludeSubdirectories = true };
        watcher.Created += (_, change) => Tell(change.Name);
        watcher.Renamed += (_, change) => Tell(change.Name);
        watcher.EnableRaisingEvents = true;
        return watcher;

        void Tell(string? path)
        {
            if (path?.StartsWith(model + "/", StringComparison.Ordinal) == true) tell();
        }
    }

    Training Start(string model, Action<string, Training> onLine) =>
        new("dotnet", work, proxy?.ConnectionString, [program, .. Arguments(model, folder ?? "blob")], onLine);

    static string[] Arguments(string model, string place) =>
    [
        "train", "faces-vae", "--data", "faces:160", "--epochs", "2", "--batch-size", "16", "--threads", "1",
        "--save-every", "0.1", "--model", model, "--out", place, "--if-changed", "--resume", "auto",
    ];

    /// <summary>The weights of the version that serves; empty where none does.</summary>
    static async Task<string> WeightsAsync(IBlobStore place, string model)
    {
        var registry = new ModelRegistry(place);
        if (await registry.ReadCurrentAsync(model) is not { } current) return "";
        var manifest = await registry.ReadManifestAsync(model, current);
        var weights = Safetensors.Read(await registry.ReadFileAsync(manifest, "weights.safetensors"));
        return string.Join('\n', weights.Tensors.Select(tensor =>
            tensor.Name + Convert.ToHexString(SHA256.HashData(tensor.Data.Span))));
    }

    /// <summary>The program under way.</summary>
    sealed class Training : IDisposable
    {
        readonly Process process;
        readonly Task reading;
        readonly Task<string> errors;
        string output = "";

        public Training(string program, string work, string? storage, string[] arguments, Action<string, Training> onLine)
        {
            var start = new ProcessStartInfo(program, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = work,
            };
            start.Environment["VaeStorage"] = storage;
            process = Process.Start(start)!;
            errors = process.StandardError.ReadToEndAsync();
            reading = Task.Run(async () =>
            {
                while (await process.StandardOutput.ReadLineAsync() is { } line)
                {
                    output += line + "\n";
                    onLine(line, this);
                }
            });
        }

        public string Output => output + (errors.IsCompleted ? errors.Result : "");

        public void Kill()
        {
            try
            {
                process.Kill();
            }
            catch (InvalidOperationException)
            {
                // It has ended.
            }
        }

        public async Task<int> EndAsync()
        {
            await process.WaitForExitAsync();
            await reading;
            await errors;
            return process.ExitCode;
        }

        public void Dispose() => process.Dispose();
    }
}
