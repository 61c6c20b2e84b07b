using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;
using VaeFunctions.Data;
using VaeFunctions.Registry;
using VaeFunctions.Sweeps;
using VaeFunctions.Tests.Training;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Sweeps;

public sealed class SweepTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("sweep-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    static Sweep Of(params string[] settings) => Sweep.Of("discs", "faces", "tiny", TinyTraining.Recipe, settings);

    [Fact]
    public void Every_combination_of_the_settings_is_a_trial()
    {
        var sweep = Of("optimizer.learningRate=1e-3,3e-4", "model.channels=[4],[6,8]", "epochs=2");

        Assert.Equal(
            ["optimizer.learningRate=1e-3 model.channels=[4] epochs=2", "optimizer.learningRate=1e-3 "
            + "model.channels=[6,8] epochs=2",
                "optimizer.learningRate=3e-4 model.channels=[4] epochs=2",
                "optimizer.learningRate=3e-4 model.channels=[6,8] epochs=2"],
            sweep.Trials.Select(trial => trial.Overrides));
        Assert.Equal([1, 2, 3, 4], sweep.Trials.Select(trial => trial.Number));
        Assert.Equal((0.0003f, 2), (sweep.Trials[3].Recipe.Optimizer.LearningRate, sweep.Trials[3].Recipe.Epochs));
        Assert.All(sweep.Trials, trial => Assert.Equal(TinyTraining.Recipe.BatchSize, trial.Recipe.BatchSize));
    }

    [Fact]
    public void A_list_of_trials_is_combined_with_the_settings()
    {
        const string list = """[{"model.latent": 2}, {"model.latent": 4, "batchSize": 8}]""";
        var sweep = Sweep.Of("discs", "faces", "tiny", TinyTraining.Recipe, ["epochs=1,2"], list);
        string[] expected =
        [
            "model.latent=2 epochs=1", "model.latent=2 epochs=2",
            "model.latent=4 batchSize=8 epochs=1", "model.latent=4 batchSize=8 epochs=2",
        ];
        Assert.Equal(expected, sweep.Trials.Select(trial => trial.Overrides));
    }

    [Theory]
    [InlineData("did you mean \"learningRate\"", "optimizer.learningrat=1e-3,3e-4")]
    [InlineData("KEY=VALUE", "optimizer.learningRate")]
    [InlineData("KEY=VALUE", "epochs=1,,2")]
    [InlineData("has no keys", "epochs.more=1,2")]
    [InlineData("epochs is 0", "epochs=0,2")]
    [InlineData("several values", "epochs=2")]
    [InlineData("the same training", "epochs=2,2")]
    [InlineData("cannot be compared", "objective.kl.weight=0.5,1")]
    [InlineData("more than 1000", "model.latent=1,2,3,4,5,6,7,8,9,10", "epochs=1,2,3,4,5,6,7,8,9,10",
        "batchSize=1,2,3,4,5,6,7,8,9,10", "patience=1,2")]
    public void What_makes_no_sweep_is_refused_with_its_reason(string reason, params string[] settings) =>
        Assert.Contains(reason, Assert.Throws<RecipeException>(() => Of(settings)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_sweep_is_known_by_its_images_and_trials()
    {
        Assert.Equal(Of("epochs=1,2").Name, Of("epochs=1,2").Name);
        Assert.NotEqual(Of("epochs=1,2").Name, Of("epochs=1,3").Name);
        Assert.NotEqual(Of("epochs=1,2").Id, (Of("epochs=1,2") with { Data = "faces:100" }).Id);
    }

    [Fact]
    public async Task A_trial_that_keeps_ending_its_process_is_given_up_and_the_others_are_trained()
    {
        var (store, sweep) = (new FolderBlobStore(folder), Of("epochs=1,2,3"));
        var state = new SweepState(store, sweep);
        var begun = new List<int>();
        for (var process = 1; process <= 3; process++)
            await Assert.ThrowsAsync<InvalidOperationException>(() => Run().RunAsync(default));

        Assert.True(await Run().RunAsync(default));

        var results = await state.ResultsAsync(default);
        Assert.Equal([1, 2, 2, 2, 3], begun);
        Assert.Contains("given up: 3 tries", results[2].Failure, StringComparison.Ordinal);
        Assert.EndsWith("it said: as good as a crash", results[2].Failure, StringComparison.Ordinal);
        Assert.Equal([1, 3], results.Values.Where(result => result.TestLoss is not null).Select(result => result.Trial));

        SweepRun Run() => new(sweep, state, new LocalTrials(), (trial, _) =>
        {
            begun.Add(trial.Number);
            return trial.Number == 2
                ? throw new InvalidOperationException("as good as a crash")
                : Task.FromResult<TrialResult?>(new(trial.Number, trial.Overrides, 10 - trial.Number));
        }, _ => { });
    }

    [Fact]
    public async Task A_trial_that_was_stopped_in_an_orderly_way_does_not_count_as_tried()
    {
        var sweep = Of("epochs=1,2");
        var state = new SweepState(new FolderBlobStore(folder), sweep);
        for (var process = 1; process <= 5; process++)
        {
            using var stop = new CancellationTokenSource();
            var run = new SweepRun(sweep, state, new LocalTrials(), async (_, _) =>
            {
                await stop.CancelAsync();
                return null;
            }, _ => { });
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.RunAsync(stop.Token));
        }
        Assert.Equal(0, (await state.TriesAsync(1, default)).Count);
        Assert.Empty(await state.ResultsAsync(default));
    }

    [Fact]
    public async Task One_of_several_publishes_and_one_that_died_at_it_gives_way()
    {
        var state = new SweepState(new FolderBlobStore(folder), Of("epochs=1,2"));
        var claims = await Task.WhenAll(Enumerable.Range(0, 8)
            .Select(_ => Task.Run(() => state.ClaimPublicationAsync(1, TimeSpan.FromHours(1), default))));
        Assert.Single(claims, claimed => claimed);

        // As if an hour were over.
        await state.WritePublicationAsync(new(1, DateTimeOffset.UtcNow.AddSeconds(-1), Done: false), default);
        Assert.True(await state.ClaimPublicationAsync(1, TimeSpan.FromHours(1), default));
        Assert.False(await state.ClaimPublicationAsync(1, TimeSpan.FromHours(1), default));

        await state.WritePublicationAsync(new(1, DateTimeOffset.MinValue, Done: true), default);
        Assert.False(await state.ClaimPublicationAsync(1, TimeSpan.FromHours(1), default));
    }

    [Fact]
    public async Task Two_trials_that_were_measured_on_different_images_end_the_sweep_at_once()
    {
        var sweep = Of("epochs=1,2,3");
        var begun = new List<int>();
        var run = new SweepRun(sweep, new(new FolderBlobStore(folder), sweep), new LocalTrials(), (trial, _) =>
        {
            begun.Add(trial.Number);
            return Task.FromResult<TrialResult?>(new(trial.Number, trial.Overrides, 1, DataFingerprint: $"images{trial.Number}"));
        }, _ => { });

        var refused = await Assert.ThrowsAsync<DataException>(() => run.RunAsync(default));

        Assert.Contains("images1 and images2", refused.Message, StringComparison.Ordinal);
        Assert.Equal([1, 2], begun);
    }

    [Fact]
    public async Task A_process_that_finds_another_publishing_waits_and_publishes_when_that_one_dies()
    {
        var (state, said, published) = (new SweepState(new FolderBlobStore(folder), Of("epochs=1,2")), new List<string>(), 0);
        Assert.True(await state.ClaimPublicationAsync(1, TimeSpan.FromSeconds(1), default)); // and is killed

        await Publication().RunAsync(new(1, "", 1), default);
        await Publication().RunAsync(new(1, "", 1), default);

        Assert.Equal(1, published);
        Assert.Single(said, line => line.StartsWith("Another process publishes", StringComparison.Ordinal));
        Assert.Equal("Trial 1 is published already.", said[^1]);

        SweepPublication Publication() =>
            new(state, (_, _) => Task.FromResult(published++), said.Add) { Patience = TimeSpan.FromSeconds(1) };
    }

    [Fact]
    public async Task A_publication_that_outlasts_the_patience_is_left_to_its_living_process()
    {
        // The clock goes on when the claim was renewed. A holder so late that it sets its timer afterwards renews a quarter
        // later: after a few seconds the clock goes on all the same.
        var clock = new FakeTimeProvider();
        var state = new SweepState(new FolderBlobStore(folder), Of("epochs=1,2")) { Clock = clock };
        var (published, patience, done) = (0, TimeSpan.FromMinutes(2), new TaskCompletionSource());

        var both = Task.WhenAll(PublishAsync(), PublishAsync());
        await Eventually(() => Task.FromResult(Volatile.Read(ref published) > 0), "published");
        for (var quarter = 0; quarter < 12; quarter++)
        {
            var seen = await state.PublicationAsync(default);
            clock.Advance(patience / 4);
            for (var watch = Stopwatch.StartNew(); watch.Elapsed < TimeSpan.FromSeconds(5)
                && await state.PublicationAsync(default) == seen;)
                await Task.Delay(5);
            await Task.Delay(20); // the holder sets its next timer after the write that was seen
        }
        done.SetResult();
        await Eventually(() =>
        {
            clock.Advance(patience / 20);
            return Task.FromResult(both.IsCompleted);
        }, "ended");

        await both;
        Assert.Equal(1, published);

        async Task Eventually(Func<Task<bool>> happened, string what)
        {
            for (var watch = Stopwatch.StartNew(); !await happened(); await Task.Delay(5))
                Assert.True(watch.Elapsed < TimeSpan.FromSeconds(60), $"It was not {what} within a minute.");
        }

        Task PublishAsync() => new SweepPublication(state, (_, _) =>
        {
            Interlocked.Increment(ref published);
            return done.Task;
        }, _ => { })
        { Patience = patience }.RunAsync(new(1, "", 1), default);
    }
}
