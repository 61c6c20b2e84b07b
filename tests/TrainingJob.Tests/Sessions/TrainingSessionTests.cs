using System.Text.RegularExpressions;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;
using VaeFunctions.Tests.Training;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Sessions;

public sealed class TrainingSessionTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("session-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    ModelRegistry Registry => new(Request.Store);

    /// <summary>Built-in faces, made as small as the tiny model takes them: 36 to train on, three steps an epoch.</summary>
    TrainingRequest Request =>
        new("tiny", TinyTraining.Recipe with { Data = "faces:40" }, new FolderBlobStore(folder));

    [Fact]
    public async Task A_session_publishes_and_says_what_came_of_it()
    {
        var outcome = await TrainingSession.RunAsync(Request with { Model = "faces", Epochs = 2 });

        Assert.Equal((TrainingEnd.Published, "faces", 2, true), (outcome.End, outcome.Model, outcome.Epochs, outcome.Serves));
        var current = await Registry.ReadCurrentAsync("faces");
        Assert.Equal(outcome.Version, current!.Version);
        Assert.Equal(outcome.Version, outcome.Serving!.Version);
        Assert.Equal(current.Reason, outcome.Reason);
        var manifest = await Registry.ReadManifestAsync("faces", outcome.Version!);
        Assert.Equal(manifest.Metrics[Manifest.TestLoss], outcome.TestLoss);
        Assert.Equal(manifest.Metrics[Manifest.TestLoss], outcome.Manifest!.Metrics[Manifest.TestLoss]);
        Assert.Equal(manifest.Data.Fingerprint, outcome.DataFingerprint);

        var again = await TrainingSession.RunAsync(Request with { Model = "faces", Epochs = 2, IfChanged = true });
        Assert.Equal((TrainingEnd.Unchanged, outcome.Version, null), (again.End, again.Version, again.Manifest));
        Assert.Equal(outcome.Version, again.Serving!.Version);
    }

    [Fact]
    public async Task A_version_that_does_not_serve_says_why()
    {
        var better = await TrainingSession.RunAsync(Request with { Epochs = 6 });
        var worse = await TrainingSession.RunAsync(Request with { Epochs = 1, LearningRate = 1e-6f });

        Assert.Equal((TrainingEnd.Published, false), (worse.End, worse.Serves));
        Assert.Contains($"of the serving {better.Version}", worse.Reason);
        Assert.Equal(better.Version, worse.Serving!.Version);
    }

    [Fact]
    public async Task Asked_to_stop_a_session_saves_and_leaves_and_goes_on_to_the_same_loss()
    {
        var whole = await TrainingSession.RunAsync(Request with { Model = "whole", Publish = false });
        Assert.Equal((TrainingEnd.Trained, null), (whole.End, whole.Version));

        using var stop = new CancellationTokenSource();
        var stopped = await TrainingSession.RunAsync(Request with { Model = "cut", Publish = false, Log = new StopAt(4, stop) },
            stop.Token);
        Assert.Equal((TrainingEnd.Interrupted, 1), (stopped.End, stopped.Epochs));

        var resumed = await TrainingSession.RunAsync(
            Request with { Model = "cut", Publish = false, Resume = Resume.WherePossible });
        Assert.Equal((TrainingEnd.Trained, 3, stopped.Run), (resumed.End, resumed.Epochs, resumed.Run));
        Assert.Equal(whole.TestLoss, resumed.TestLoss);
        Assert.NotEqual(stopped.TestLoss, resumed.TestLoss);
    }

    [Fact]
    public async Task What_cannot_be_trained_is_refused_with_the_exit_code_of_wrong_input()
    {
        var nowhere = await Assert.ThrowsAsync<RecipeException>(() =>
            TrainingSession.RunAsync(Request with { Recipe = TinyTraining.Recipe with { Data = null } }));
        Assert.Equal(2, nowhere.ExitCode);
        var nothing = await Assert.ThrowsAsync<CheckpointException>(
            () => TrainingSession.RunAsync(Request with { Resume = Resume.Always }));
        Assert.Contains("no run of tiny", nothing.Message);
        var diverged = await Assert.ThrowsAsync<TrainingException>(
            () => TrainingSession.RunAsync(Request with { LearningRate = 1e30f }));
        Assert.Equal(1, diverged.ExitCode);
    }

    [Fact]
    public async Task What_serves_in_one_store_is_copied_to_another_where_the_gate_decides_anew()
    {
        var trained = await TrainingSession.RunAsync(Request with { Epochs = 2 });
        var elsewhere = new ModelRegistry(new FolderBlobStore(Path.Combine(folder, "elsewhere")));

        var copied = await new Publisher(elsewhere, new()).CopyAsync(Registry, "tiny");

        Assert.Equal((trained.Version, true), (copied.Manifest.Version, copied.Promotion.Promoted));
        var again = await new Publisher(elsewhere, new()).CopyAsync(Registry, "tiny");
        Assert.StartsWith("It served already.", again.Promotion.Reason, StringComparison.Ordinal);
        Assert.Equal(trained.Version, (await elsewhere.ReadCurrentAsync("tiny"))!.Version);
    }

    [Fact]
    public async Task A_version_that_was_cut_off_before_it_served_serves_after_the_next_scheduled_run()
    {
        var scheduled = Request with { Epochs = 2, IfChanged = true, Resume = Resume.WherePossible };
        var first = await TrainingSession.RunAsync(scheduled);
        await Request.Store.DeleteAsync("models/tiny/current.json"); // as a kill after the manifest leaves it
        var healed = await TrainingSession.RunAsync(scheduled);
        Assert.Equal((TrainingEnd.Published, first.Version, true), (healed.End, healed.Version, healed.Serves));
        Assert.Equal(first.Version, (await Registry.ReadCurrentAsync("tiny"))!.Version);

        // Another one, beside one that serves, on other images: what serves is measured on them.
        var before = (await Request.Store.TryReadAsync("models/tiny/current.json", 1 << 20))!.Content;
        var other = scheduled with { Data = "faces:60", Epochs = 6 };
        var second = await TrainingSession.RunAsync(other);
        Assert.True(second.Serves, second.Reason);
        await Request.Store.WriteAsync("models/tiny/current.json", before);
        Assert.Equal(second.Version, (await TrainingSession.RunAsync(other)).Serving!.Version);
        Assert.Equal(TrainingEnd.Unchanged, (await TrainingSession.RunAsync(other)).End);
        Assert.Equal(2, (await Registry.ListVersionsAsync("tiny")).Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // whose pointers do not say what was rolled back
    public async Task No_scheduled_run_brings_back_what_was_rolled_back(bool byAnEarlierBuild)
    {
        var first = await TrainingSession.RunAsync(Request with { Epochs = 1 });
        var scheduled = Request with { Epochs = 4, IfChanged = true };
        Assert.True((await TrainingSession.RunAsync(scheduled)).Serves);
        await Registry.RollbackAsync("tiny");
        if (byAnEarlierBuild)
        {
            var pointer = (await Request.Store.TryReadAsync("models/tiny/current.json", 1 << 20))!.Content.ToString();
            await Request.Store.WriteAsync("models/tiny/current.json",
                BinaryData.FromString(Regex.Replace(pointer, ",\\s*\"rolledBack\": \\[[^]]*\\]", "")));
        }

        var again = await TrainingSession.RunAsync(scheduled);
        Assert.Equal((TrainingEnd.Unchanged, first.Version), (again.End, again.Serving!.Version));
    }

    [Fact]
    public async Task A_publication_that_another_overtakes_is_judged_against_the_winner()
    {
        var race = new Overtaken(Request.Store, () => TrainingSession.RunAsync(Request with { Epochs = 2, Seed = 5 }));
        var loser = await TrainingSession.RunAsync(Request with { Epochs = 6, Store = race });
        var winner = (await Registry.ReadCurrentAsync("tiny"))!.History.Single().Version;
        Assert.Equal((TrainingEnd.Published, true), (loser.End, loser.Serves));
        Assert.Contains($"of the serving {winner}", loser.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("empty")]
    [InlineData("truncated")]
    [InlineData("of other tensors")]
    [InlineData("gone")]
    public async Task A_scheduled_run_gets_past_a_checkpoint_that_cannot_be_used(string damage)
    {
        var scheduled = Request with { Resume = Resume.WherePossible };
        using var stop = new CancellationTokenSource();
        var stopped = await TrainingSession.RunAsync(scheduled with { Log = new StopAt(4, stop) }, stop.Token);
        var older = (await Request.Store.TryReadAsync(Checkpoint.PathOf("tiny", stopped.Run!), 1 << 24))!.Content;
        byte[]? content = damage switch
        {
            "empty" => [],
            "truncated" => older.ToArray()[..5000],
            "of other tensors" => Safetensors.Write([], Safetensors.Read(older).Metadata).ToArray(),
            _ => null,
        };
        await Request.Store.WriteAsync("checkpoints/tiny/20990101T000000Z/metrics.csv", new("epoch"));
        if (content is not null) await Request.Store.WriteAsync(Checkpoint.PathOf("tiny", "20990101T000000Z"), new(content));

        var log = new Lines();
        var outcome = await TrainingSession.RunAsync(scheduled with { Log = log });
        Assert.Equal((TrainingEnd.Published, true), (outcome.End, outcome.Serves));
        Assert.Contains("20990101T000000Z", log.Text, StringComparison.Ordinal);
        // The older run goes on, but where the newer one seemed whole until its tensors were wanted.
        Assert.Equal(damage != "of other tensors", outcome.Run == stopped.Run);
    }

    [Fact]
    public async Task Asked_to_stop_while_it_measures_a_session_says_what_is_kept()
    {
        using var stop = new CancellationTokenSource();
        var log = new Lines { On = line => { if (line.StartsWith("measuring", StringComparison.Ordinal)) stop.Cancel(); } };
        var stopped = await TrainingSession.RunAsync(Request with { Epochs = 1, Log = log }, stop.Token);
        Assert.Equal(TrainingEnd.Interrupted, stopped.End);
        Assert.Contains($"checkpoints/tiny/{stopped.Run}/checkpoint.safetensors", log.Text, StringComparison.Ordinal);
        Assert.Contains("--resume", log.Text, StringComparison.Ordinal);
        Assert.True((await TrainingSession.RunAsync(Request with { Epochs = 1, Resume = Resume.WherePossible })).Serves);
    }

    [Fact]
    public async Task Whoever_publishes_next_clears_away_what_a_killed_writer_left_of_a_checkpoint()
    {
        var path = Path.Combine(folder, "checkpoints/tiny/20260101T000000Z", $".~{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllTextAsync(path, "half a checkpoint");
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddHours(-2));
        await TrainingSession.RunAsync(Request with { Epochs = 1 });
        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task Trainings_of_one_second_have_runs_and_versions_of_their_own()
    {
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ =>
            Task.Run(() => TrainingSession.RunAsync(Request with { Epochs = 1 }))));
        Assert.Equal(4, outcomes.Select(outcome => outcome.Run).Distinct().Count());
        Assert.Equal(4, outcomes.Select(outcome => outcome.Version).Distinct().Count());
        Assert.Equal(4, (await Registry.ListVersionsAsync("tiny")).Count);
    }

    [Fact]
    public async Task After_a_clock_was_set_back_what_is_new_still_counts_as_the_newest()
    {
        var first = await TrainingSession.RunAsync(Request with { Epochs = 1 });
        // Another build, whose clock was a day ahead, trained and published with another recipe.
        var ahead = TimeName.Of(DateTimeOffset.UtcNow.AddDays(1));
        var (manifest, files) = (await Registry.ReadManifestAsync("tiny", first.Version!), new Dictionary<string, BinaryData>());
        foreach (var file in manifest.Files) files[file.Name] = await Registry.ReadFileAsync(manifest, file.Name);
        await Registry.PublishAsync(manifest with { Version = ahead }, files);
        await Request.Store.WriteAsync($"checkpoints/tiny/{ahead}/metrics.csv", new("epoch"));

        var scheduled = Request with { Epochs = 3, IfChanged = true, Resume = Resume.WherePossible };
        var published = await TrainingSession.RunAsync(scheduled);
        Assert.Equal((TrainingEnd.Published, true), (published.End, published.Serves));
        Assert.Equal([published.Version!, ahead, first.Version!], await Registry.ListVersionsAsync("tiny"));
        Assert.Equal(TrainingEnd.Unchanged, (await TrainingSession.RunAsync(scheduled)).End);
        Assert.NotEqual(published.Run, (await TrainingSession.RunAsync(scheduled with { IfChanged = false })).Run);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{ \"format\": 1, \"mod")]
    public async Task A_scheduled_run_gets_past_a_manifest_that_cannot_be_read(string damage)
    {
        var scheduled = Request with { Epochs = 1, IfChanged = true };
        var first = await TrainingSession.RunAsync(scheduled);
        await Request.Store.WriteAsync("models/tiny/20990101T000000Z/manifest.json", new(damage));
        var log = new Lines();
        Assert.Equal((TrainingEnd.Unchanged, first.Version), await EndAsync(scheduled));
        Assert.Contains("models/tiny/20990101T000000Z/manifest.json", log.Text, StringComparison.Ordinal);

        await Request.Store.WriteAsync($"models/tiny/{first.Version}/manifest.json", new(damage));
        Assert.Equal(TrainingEnd.Published, (await EndAsync(scheduled)).End);

        async Task<(TrainingEnd End, string? Version)> EndAsync(TrainingRequest request) =>
            await TrainingSession.RunAsync(request with { Log = log }) is var outcome ? (outcome.End, outcome.Version) : default;
    }

    [Fact]
    public async Task A_damaged_pointer_is_said_once_and_the_training_ends_well()
    {
        await TrainingSession.RunAsync(Request with { Epochs = 1 });
        await Request.Store.WriteAsync("models/tiny/current.json", BinaryData.FromString("{"));
        var log = new Lines();
        var kept = await TrainingSession.RunAsync(Request with { Epochs = 2, Log = log });
        Assert.Equal((TrainingEnd.Published, false, null), (kept.End, kept.Serves, kept.Serving));
        Assert.Contains("current.json", kept.Reason, StringComparison.Ordinal);

        var unchanged = await TrainingSession.RunAsync(Request with { Epochs = 2, IfChanged = true, Log = log });
        Assert.Equal((TrainingEnd.Unchanged, kept.Version), (unchanged.End, unchanged.Version));
        Assert.Contains("current.json", log.Text, StringComparison.Ordinal);
    }

    /// <summary>A store in which another publication comes first, once: when the pointer is about to be written.</summary>
    sealed class Overtaken(IBlobStore store, Func<Task> other) : PassingStore(store)
    {
        Func<Task>? next = other;

        public override async Task<string> WriteAsync(
            string path, BinaryData content, WriteCondition condition, CancellationToken cancellation)
        {
            if (path.EndsWith("current.json", StringComparison.Ordinal) && Interlocked.Exchange(ref next, null) is { } first)
                await first();
            return await base.WriteAsync(path, content, condition, cancellation);
        }
    }

    /// <summary>Keeps what is said.</summary>
    sealed class Lines : TrainingLog
    {
        public string Text { get; private set; } = "";

        public Action<string> On { get; init; } = _ => { };

        public override void Line(string text)
        {
            Text += text + "\n";
            On(text);
        }

        public override void Loaded(int images, int of)
        {
        }

        public override void Stepped(int epoch, int epochs, int batch, int batches, double loss, double imagesPerSecond)
        {
        }
    }

    /// <summary>Asks to stop after a step.</summary>
    sealed class StopAt(int step, CancellationTokenSource stop) : TrainingLog
    {
        int steps;

        public override void Line(string text)
        {
        }

        public override void Loaded(int images, int of)
        {
        }

        public override void Stepped(int epoch, int epochs, int batch, int batches, double loss, double imagesPerSecond)
        {
            if (++steps == step)
                stop.Cancel();
        }
    }
}
