using VaeFunctions.Data;
using VaeFunctions.Models;
using VaeFunctions.Registry;
using VaeFunctions.Tensors;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Training;

/// <summary>What the loop does besides descending: clipping, skipping, averaging, stopping early, binarising, labels.</summary>
public sealed class TechniqueTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("techniques-").FullName;

    FolderBlobStore Store => new(folder);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Everything that has state or randomness of its own, at once.</summary>
    static Recipe Everything { get; } = TinyTraining.Recipe with
    {
        Model = new ConvVaeOptions
        {
            Image = new(8, 8, 1),
            Channels = [6, 8],
            Hidden = 16,
            Latent = 3,
            Output = OutputActivation.Linear,
            Likelihood = new BernoulliOptions()
        },
        Binarize = BinarizationKind.Dynamic,
        Objective = new() { Kl = new CyclicalKl { Epochs = 1.5 }, Samples = 2 },
        Optimizer = new AdamRecipe { LearningRate = 0.003f, Schedule = new CosineRate { WarmUp = 0.5 } },
        ClipNorm = 1,
        Averaging = 0.95f,
        Patience = 2,
    };

    public static TheoryData<string, int> Interruptions
    {
        get
        {
            var data = new TheoryData<string, int>();
            string[] names =
                ["everything", "codebook", "vae-gan", "optimal σ", "fitted prior", "photographs", "adversary"];
            foreach (var name in names)
                foreach (var steps in new[] { 3, 7, 11 }) data.Add(name, steps);
            return data;
        }
    }

    internal static Recipe Named(string name) => name switch
    {
        "codebook" => TinyTraining.Recipe with
        {
            Model = new VqVaeOptions
            {
                Image = new(8, 8, 1),
                Channels = [6, 8],
                Codes = 9,
                Depth = 3,
                Blocks = 1,
                PriorChannels = 6,
                PriorBlocks = 1,
                Likelihood = new SquaredErrorOptions()
            },
        },
        "photographs" => TinyTraining.Recipe with
        {
            Model = new SpatialVaeOptions
            {
                Image = new(8, 8, 1),
                Encoder = [4, 8],
                Inner = 8,
                Depth = 2,
                Decoder = [4, 5],
                Groups = 2,
                Likelihood = new AbsoluteErrorOptions { Low = -1 }
            },
            Objective = new() { PerPixel = true, Perceptual = 1, Kl = new LinearKl { Weight = 3e-5f, Epochs = 1 } },
            Optimizer = new AdamRecipe { Beta2 = 0.99f, Decay = 0.01f, Schedule = new CosineRate { WarmUp = 0.5, Final = 0.03 } },
            Augmentation = new() { Flip = true, Shift = 2, Brightness = 0.2f },
            ClipNorm = 1,
            Averaging = 0.95f,
            Epochs = 2,
        },
        "adversary" => Named("photographs") with { Adversary = new() { From = 0.5f } },
        "vae-gan" => TinyTraining.Recipe with
        {
            Model = new VaeGanOptions
            {
                Image = new(8, 8, 1),
                Channels = [6, 8],
                Hidden = 16,
                Latent = 3,
                Discriminator = [4, 6],
                Likelihood = new SquaredErrorOptions { Low = -1 }
            },
        },
        "optimal σ" => TinyTraining.Recipe with
        {
            Model = new MlpVaeOptions
            {
                Image = new(8, 8, 1),
                Hidden = [20],
                Latent = 3,
                Likelihood = new GaussianOptions()
            }
        },
        "fitted prior" =>
        TinyTraining.Recipe with
        {
            Model = new MlpAutoencoderOptions
            {
                Image = new(8, 8, 1),
                Hidden = [20],
                Latent = 3,
                Prior = new GaussianPriorOptions(),
                Likelihood = new SquaredErrorOptions()
            }
        },
        _ => Everything,
    };

    [Theory, MemberData(nameof(Interruptions))]
    public async Task However_it_is_interrupted_the_run_ends_with_the_same_bits(string name, int steps)
    {
        var recipe = Named(name);
        var (whole, expected) = await TinyTraining.TrainAsync(Store, recipe);

        using var source = new CancellationTokenSource();
        var first = TinyTraining.Build(recipe);
        await TinyTraining.TrainerOf(recipe, first, new StopAfter(TinyTraining.Run(Store, recipe, first), steps, source))
            .RunAsync(TrainingState.Start, source.Token);
        var checkpoint = await Checkpoint.ReadAsync(Store, "discs", "run");
        var second = TinyTraining.Build(recipe with { Seed = 99 });
        checkpoint.Restore(second);
        var state = await TinyTraining.TrainerOf(recipe, second, TinyTraining.Run(Store, recipe, second))
            .RunAsync(checkpoint.State, default);
        second.Finish();

        Assert.Equal(TinyTraining.Weights(whole.Model), TinyTraining.Weights(second.Model));
        Assert.Equal(expected.History.Select(metrics => metrics.Test.Loss), state.History.Select(metrics => metrics.Test.Loss));
    }

    [Fact]
    public async Task A_step_without_a_finite_loss_is_skipped_and_leaves_the_parameters_alone()
    {
        var learner = TinyTraining.Build(TinyTraining.Recipe);
        var poison = new Poison(learner, first: 2, last: 3);
        var state = await new Trainer(TinyTraining.Recipe, TinyTraining.Data, learner, poison)
            .RunAsync(TrainingState.Start, default);
        Assert.Equal([2, 0, 0], state.History.Select(metrics => metrics.SkippedSteps));
        Assert.Equal(poison.Before, poison.After);
        Assert.All(TinyTraining.Weights(learner.Model), value => Assert.True(float.IsFinite(value)));
        Assert.Equal(100 - 2 * 16, state.History[0].Train.Images);
    }

    [Fact]
    public async Task More_skipped_steps_than_are_tolerated_end_the_run()
    {
        var recipe = TinyTraining.Recipe with { MaxSkippedSteps = 3 };
        var learner = TinyTraining.Build(recipe);
        var error = await Assert.ThrowsAsync<TrainingException>(() =>
            new Trainer(recipe, TinyTraining.Data, learner, new Poison(learner, first: 2, last: 100))
                .RunAsync(TrainingState.Start, default));
        Assert.Contains("4 steps", error.Message);
        Assert.Contains("epoch 1, batch 6", error.Message);
    }

    [Fact]
    public async Task Clipped_gradients_take_small_steps()
    {
        // An ε of 1 makes Adam's step proportional to the gradient.
        var recipe = TinyTraining.Recipe with { Epochs = 1, Optimizer = new AdamRecipe { LearningRate = 0.01f, Epsilon = 1 } };
        var start = TinyTraining.Weights(TinyTraining.Build(recipe).Model);
        Assert.True(await MovedAsync(recipe) > 100 * await MovedAsync(recipe with { ClipNorm = 1e-3f }));
        Assert.Equal(await MovedAsync(recipe), await MovedAsync(recipe with { ClipNorm = 1e9f }));

        async Task<double> MovedAsync(Recipe recipe)
        {
            var (learner, _) = await TinyTraining.TrainAsync(Store, recipe);
            return learner.Model.Parameters.Where(parameter => parameter.Kind == ParameterKind.Weight)
                .Zip(TinyTraining.Build(recipe).Model.Parameters.Where(parameter => parameter.Kind == ParameterKind.Weight))
                .SelectMany(pair => pair.First.Value.ToArray().Zip(pair.Second.Value.ToArray(), (a, b) => Math.Abs(a - b))).Max();
        }
    }

    [Fact]
    public async Task Early_stopping_ends_when_nothing_gets_better_and_publishes_the_best()
    {
        var recipe = TinyTraining.Recipe with { Epochs = 200, Patience = 3, Optimizer = new AdamRecipe { LearningRate = 0.02f } };
        var (learner, state) = await TinyTraining.TrainAsync(Store, recipe);
        Assert.InRange(state.History.Count, 4, 199);
        var best = state.History.Min(metrics => metrics.Test.Loss);
        Assert.Equal(best, state.History[^4].Test.Loss);
        Assert.Equal(best, Measure.Of(learner.Model, TinyTraining.Data.Test, recipe).Loss);
        Assert.Equal(best, recipe.Published(state.History).Test.Loss);
    }

    [Fact]
    public async Task The_average_of_the_weights_is_what_is_evaluated_and_published()
    {
        var recipe = TinyTraining.Recipe with { Averaging = 0.98f };
        var (averaged, state) = await TinyTraining.TrainAsync(Store, recipe);
        var (last, _) = await TinyTraining.TrainAsync(Store, TinyTraining.Recipe);
        Assert.Equal(state.History[^1].Test.Loss, Measure.Of(averaged.Model, TinyTraining.Data.Test, recipe).Loss);
        Assert.NotEqual(TinyTraining.Weights(last.Model), TinyTraining.Weights(averaged.Model));

        averaged.UseAverage(); // exchanges them back
        Assert.Equal(TinyTraining.Weights(last.Model), TinyTraining.Weights(averaged.Model));
    }

    [Fact]
    public void Static_binarisation_is_the_same_every_time_and_keeps_the_mean()
    {
        var data = TinyTraining.Data;
        DataSplit once = Binarization.Apply(data, BinarizationKind.Static, 1), again =
            Binarization.Apply(data, BinarizationKind.Static, 1);
        Assert.Equal(once.Fingerprint, again.Fingerprint);
        Assert.NotEqual(once.Fingerprint, Binarization.Apply(data, BinarizationKind.Static, 2).Fingerprint);
        Assert.All(Pixels(once.Train), pixel => Assert.True(pixel is 0 or 255));
        Assert.Equal(Pixels(data.Train).Average(pixel => pixel), Pixels(once.Train).Average(pixel => pixel), 3.0);
        Assert.Equal(Pixels(data.Train), Pixels(Binarization.Apply(data, BinarizationKind.Dynamic, 1).Train));
        Assert.Equal(Pixels(once.Test), Pixels(Binarization.Apply(data, BinarizationKind.Dynamic, 1).Test));

        static byte[] Pixels(ImageDataset images) =>
            [.. Enumerable.Range(0, images.Count).SelectMany(i => images.Pixels(i).ToArray())];
    }

    [Fact]
    public void Dynamic_binarisation_draws_every_batch_anew()
    {
        var model = TinyTraining.Build(TinyTraining.Recipe).Model;
        int[] all = [.. Enumerable.Range(0, 20)];
        float[] Pixels(ulong epoch) =>
            new BatchSource(TinyTraining.Data.Train, model).Gather(all, new(1, "noise"), 1, new(1, "binarization", epoch)).Pixels;
        Assert.Equal(Pixels(0), Pixels(0));
        Assert.NotEqual(Pixels(0), Pixels(1));
        Assert.All(Pixels(0), pixel => Assert.True(pixel is 0 or 255));
    }

    [Fact]
    public void An_augmented_image_is_turned_moved_and_brightened_anew_in_every_epoch()
    {
        var model = TinyTraining.Build(TinyTraining.Recipe).Model;
        byte[] image = [.. Enumerable.Range(0, 64).Select(i => (byte)(3 * i + 20))];
        var images = new ImageDataset(new(8, 8, 1), [image]);
        Assert.Equal(Pixels(new() { Flip = true, Shift = 2 }, 0), Pixels(new() { Flip = true, Shift = 2 }, 0));

        var turned = Enumerable.Range(0, 20).Select(epoch => Pixels(new() { Flip = true }, epoch)).ToList();
        float[] mirror = [.. image.Chunk(8).SelectMany(row => row.Reverse())];
        var same = Array.ConvertAll(image, pixel => (float)pixel);
        Assert.All(turned, pixels => Assert.True(pixels.SequenceEqual(mirror) || pixels.SequenceEqual(same)));
        Assert.InRange(turned.Count(pixels => pixels.SequenceEqual(mirror)), 4, 16);

        var moved = Pixels(new() { Shift = 2 }, 3);
        Assert.Contains(
            from down in Enumerable.Range(-2, 5)
            from right in Enumerable.Range(-2, 5)
            select (down, right),
            by => Enumerable.Range(0, 64).All(i =>
                moved[i] == image[Math.Clamp(i / 8 - by.down, 0, 7) * 8 + Math.Clamp(i % 8 - by.right, 0, 7)]));

        var darker = Enumerable.Range(0, 20).Select(epoch => Pixels(new() { Brightness = 0.5f }, epoch))
            .First(pixels => pixels[0] < image[0]);
        Assert.All(darker.Zip(image), pair => Assert.Equal(darker[0] / image[0], pair.First / pair.Second, 1e-6f));

        float[] Pixels(Augmentation how, int epoch) => new BatchSource(images, model)
            .Gather([0], new(1, "noise"), 1, augmenting: new(how, new(1, "augmentation", (ulong)epoch))).Pixels;
    }

    [Fact]
    public void Decay_shrinks_weights_that_nothing_else_moves()
    {
        var recipe = TinyTraining.Recipe with { Optimizer = new AdamRecipe { LearningRate = 0.01f, Decay = 0.5f } };
        var model = TinyTraining.Build(recipe).Model;
        var weight = model.Parameters.First(parameter => parameter.Kind == ParameterKind.Weight);
        var before = weight.Value.ToArray();
        var optimizer = recipe.Optimizer.Build(model.Parameters);
        var tape = model.Parameters.Backend.Record();

        optimizer.Step(tape.Backward((tape.FromParameter(weight) * 0).Sum()), rate: 0.5f);

        Assert.All(before.Zip(weight.Value.ToArray()),
            pair => Assert.Equal(pair.First * (1 - 0.01f * 0.5f * 0.5f), pair.Second, 1e-7f));
    }

    [Fact]
    public async Task A_label_decides_what_a_conditional_model_draws()
    {
        // Label 0: the left half is bright; label 1: the right half.
        byte[] Half(int label) => [.. Enumerable.Range(0, 64).Select(i => i % 8 < 4 == (label == 0) ? (byte)230 : (byte)20)];
        ImageDataset images =
            new(new(8, 8, 1), [.. Enumerable.Range(0, 200).Select(i => Half(i % 2))],
            [.. Enumerable.Range(0, 200).Select(i => i % 2)], ["left", "right"]);
        var recipe = TinyTraining.Recipe with
        {
            Epochs = 30,
            Model = OfTwoClasses(new SquaredErrorOptions()),
        };
        var (learner, state) =
            await TinyTraining.TrainAsync(Store, recipe, DataSplit.Of(images, images.Select([0, 1, 2, 3]), "halves"));
        var backend = learner.Model.Parameters.Backend;
        var noise = backend.FromValues(new RandomStream(3, "prior").Gaussians(4), new(2, 2));
        var drawn = learner.Model.DecodePixels(noise, backend.FromValues([0, 1], new(2))).ToArray();
        Assert.True(drawn[0] > 150 && drawn[7] < 100 && drawn[64] < 100 && drawn[71] > 150, string.Join(' ', drawn[..8]) + " / "
            + string.Join(' ', drawn[64..72]));
        Assert.InRange(state.History[^1].Test.MeanKl, 0, 0.2); // nothing is left to say
    }

    static MlpVaeOptions OfTwoClasses(LikelihoodOptions likelihood) =>
        new() { Image = new(8, 8, 1), Hidden = [20], Latent = 2, Classes = 2, Likelihood = likelihood };

    [Fact]
    public async Task Labels_that_the_data_lacks_or_has_too_many_of_are_refused()
    {
        var recipe = TinyTraining.Recipe with
        {
            Model = OfTwoClasses(new BernoulliOptions())
        };
        Assert.Contains("the images have none",
            (await Assert.ThrowsAsync<DataException>(() => TinyTraining.TrainAsync(Store, recipe))).Message);
        ImageDataset images = new(new(8, 8, 1), [new byte[64], new byte[64], new byte[64]], [0, 1, 2], ["a", "b", "c"]);
        Assert.Contains("set model.classes to 3",
            (await Assert.ThrowsAsync<DataException>(
            () => TinyTraining.TrainAsync(Store, recipe, DataSplit.Of(images, images, "three")))).Message);
    }

    /// <summary>Makes a weight no number after one step and whole again after another.</summary>
    sealed class Poison(Learner learner, int first, int last) : ITrainingEvents
    {
        int steps;

        public float[] Before { get; private set; } = [];

        public float[] After { get; private set; } = [];

        public void Stepped(int epoch, int batch, int batches, double loss, double imagesPerSecond)
        {
            steps++;
            var weight = learner.Model.Parameters.First().Value;
            var backend = learner.Model.Parameters.Backend;
            if (steps == first)
            {
                Before = TinyTraining.Weights(learner.Model);
                backend.Assign(weight, backend.FromValues([.. Enumerable.Repeat(float.NaN, weight.Shape.Count)], weight.Shape));
            }
            if (steps != last + 1) return;
            backend.Assign(weight, backend.FromValues(Before.AsSpan(0, weight.Shape.Count), weight.Shape));
            After = TinyTraining.Weights(learner.Model);
        }

        public Task EpochEndedAsync(TrainingState state) => Task.CompletedTask;

        public Task SaveAsync(TrainingState state) => Task.CompletedTask;
    }
}
