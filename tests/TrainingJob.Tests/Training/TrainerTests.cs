using VaeFunctions.Registry;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Training;

public sealed class TrainerTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("trainer-").FullName;

    FolderBlobStore Store => new(folder);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    async Task<float[]> UninterruptedAsync(Recipe recipe)
    {
        var (learner, _) = await TinyTraining.TrainAsync(Store, recipe);
        return TinyTraining.Weights(learner.Model);
    }

    [Fact]
    public async Task Training_lowers_the_test_loss_and_writes_a_line_per_epoch()
    {
        var recipe = TinyTraining.Recipe with { Epochs = 8 };
        var (_, state) = await TinyTraining.TrainAsync(Store, recipe);

        Assert.InRange(state.History[^1].Test.Loss, 0, 0.7 * state.History[0].Test.Loss);
        var lines = (await Store.TryReadAsync("checkpoints/discs/run/metrics.csv", 1 << 20))!.Content.ToString().TrimEnd()
            .Split('\n');
        Assert.StartsWith(
            "epoch,train_loss,train_reconstruction,train_kl,test_loss,test_reconstruction,test_kl,images_per_second,seconds",
            lines[0]);
        Assert.Equal(["1", "2", "3", "4", "5", "6", "7", "8"], lines[1..].Select(line => line.Split(',')[0]));
        Assert.All(lines[1..], line => Assert.Equal(lines[0].Split(',').Length, line.Split(',').Length));
    }

    [Theory]
    [InlineData(1)]  // in the first epoch
    [InlineData(7)]  // after the last batch of an epoch, before its evaluation
    [InlineData(10)] // in the second
    public async Task An_interrupted_and_resumed_run_ends_with_the_same_bits(int steps)
    {
        var recipe = TinyTraining.Recipe;
        var expected = await UninterruptedAsync(recipe);

        using var source = new CancellationTokenSource();
        var first = TinyTraining.Build(recipe);
        var events = new StopAfter(TinyTraining.Run(Store, recipe, first), steps, source);
        var stopped = await new Trainer(recipe, TinyTraining.Data, first, events).RunAsync(TrainingState.Start, source.Token);
        Assert.True(stopped.Epoch < recipe.Epochs);

        var checkpoint = await Checkpoint.ReadAsync(Store, "discs", "run");
        var second = TinyTraining.Build(recipe with { Seed = 99 }); // whatever it starts with is overwritten
        checkpoint.Restore(second);
        var state = await new Trainer(recipe, TinyTraining.Data, second, TinyTraining.Run(Store, recipe, second))
            .RunAsync(checkpoint.State, default);
        second.Finish();

        Assert.Equal(expected, TinyTraining.Weights(second.Model));
        Assert.Equal(3, state.History.Count);
    }

    [Fact]
    public async Task A_loss_that_is_no_number_ends_the_run_and_leaves_the_last_checkpoint_alone()
    {
        var recipe = TinyTraining.Recipe with { Optimizer = new AdamRecipe { LearningRate = 1e30f } };
        var learner = TinyTraining.Build(recipe);
        var run = TinyTraining.Run(Store, recipe, learner);
        await run.SaveAsync(TrainingState.Start);
        var before = (await Store.TryReadAsync("checkpoints/discs/run/checkpoint.safetensors", 1 << 24))!.ETag;

        var error = await Assert.ThrowsAsync<TrainingException>(() =>
            new Trainer(recipe, TinyTraining.Data, learner, run).RunAsync(TrainingState.Start, default));
        Assert.Contains("epoch 1", error.Message);
        Assert.Contains("learning rate", error.Message);
        Assert.Equal(before, (await Store.TryReadAsync("checkpoints/discs/run/checkpoint.safetensors", 1 << 24))!.ETag);
    }

    [Fact]
    public async Task A_checkpoint_of_another_model_is_refused_with_the_names_of_what_differs()
    {
        var recipe = TinyTraining.Recipe;
        await TinyTraining.Run(Store, recipe, TinyTraining.Build(recipe)).SaveAsync(TrainingState.Start);
        var checkpoint = await Checkpoint.ReadAsync(Store, "discs", "run");

        var options = (Models.ConvVaeOptions)recipe.Model;
        var wider = TinyTraining.Build(recipe with { Model = options with { Hidden = 17 } });
        Assert.Contains("encoder.7.weight", Assert.Throws<CheckpointException>(() => checkpoint.Restore(wider)).Message);
        var deeper = TinyTraining.Build(recipe with { Model = options with { Channels = [6, 8, 8] } });
        Assert.Contains("missing", Assert.Throws<CheckpointException>(() => checkpoint.Restore(deeper)).Message);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // the data as an earlier build wrote them, which sealed nothing
    public async Task A_flipped_bit_in_a_checkpoint_is_found_and_said_with_its_path(bool isSealed)
    {
        const string Path = "checkpoints/discs/run/checkpoint.safetensors";
        var run = TinyTraining.Run(Store, TinyTraining.Recipe, TinyTraining.Build(TinyTraining.Recipe));
        await run.SaveAsync(TrainingState.Start);
        var whole = (await Store.TryReadAsync(Path, 1 << 24))!.Content.ToArray();
        if (!isSealed)
            "note"u8.CopyTo(whole.AsSpan(whole.AsSpan().IndexOf("seal"u8)));
        await Store.WriteAsync(Path, new(whole));
        await Checkpoint.ReadAsync(Store, "discs", "run");
        if (!isSealed) return;

        var random = new RandomStream(1, "bits");
        for (var i = 0; i < 40; i++)
        {
            var damaged = (byte[])whole.Clone();
            damaged[random.NextInt(whole.Length)] ^= (byte)(1 << random.NextInt(8));
            await Store.WriteAsync(Path, new(damaged));
            var error = await Assert.ThrowsAsync<CheckpointException>(() => Checkpoint.ReadAsync(Store, "discs", "run"));
            Assert.Contains(Path, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_checkpoint_that_is_read_badly_once_is_read_again()
    {
        var run = TinyTraining.Run(Store, TinyTraining.Recipe, TinyTraining.Build(TinyTraining.Recipe));
        await run.SaveAsync(TrainingState.Start);
        Assert.Equal(0, (await Checkpoint.ReadAsync(new HalfReads(Store, 1), "discs", "run")).State.Epoch);
        await Assert.ThrowsAsync<CheckpointException>(() => Checkpoint.ReadAsync(new HalfReads(Store, 2), "discs", "run"));
    }

    [Fact]
    public async Task A_damaged_checkpoint_is_refused()
    {
        await Store.WriteAsync("checkpoints/discs/run/checkpoint.safetensors", new("no checkpoint"));
        await Assert.ThrowsAsync<CheckpointException>(() => Checkpoint.ReadAsync(Store, "discs", "run"));
        await Assert.ThrowsAsync<CheckpointException>(() => Checkpoint.ReadAsync(Store, "discs", "no-such-run"));
    }
}
