using VaeFunctions.Features;
using VaeFunctions.Models;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;
using VaeFunctions.Tensors;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Training;

/// <summary>The last epochs, in which the decoder learns to deceive a discriminator.</summary>
public sealed class AdversaryTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    static Recipe Adversarial { get; } = TechniqueTests.Named("adversary") with { Epochs = 2, Averaging = null };

    public void Dispose() => folder.Dispose();

    /// <summary>A grid of codes, and a model whose batch normalization has statistics that a forward pass moves.</summary>
    public static TheoryData<string> Models => ["spatial-vae", "conv-vae"];

    static Recipe Of(string model) => model == "spatial-vae" ? Adversarial
        : TinyTraining.Recipe with { Objective = Adversarial.Objective, Adversary = Adversarial.Adversary, Epochs = 2 };

    [Theory, MemberData(nameof(Models))]
    public async Task In_the_last_part_the_encoder_rests_and_the_decoder_and_the_heads_learn(string model)
    {
        var recipe = Of(model);
        var learner = TinyTraining.Build(recipe);
        var heads = Heads(learner);
        var watch = new AfterEpochs(() => (Encoder(learner), Decoder(learner), Heads(learner)));
        await TinyTraining.TrainerOf(recipe, learner, watch).RunAsync(TrainingState.Start, default);

        var (first, last) = (watch.Seen[0], watch.Seen[1]);
        Assert.Equal(first.Encoder, last.Encoder);
        Assert.NotEqual(first.Decoder, last.Decoder);
        Assert.Equal(heads, first.Heads);
        Assert.NotEqual(heads, last.Heads);
    }

    [Fact]
    public async Task The_prior_is_fitted_once_when_the_encoder_rests()
    {
        List<float[]> fitted = [];
        var learner = TinyTraining.Build(Adversarial with { Epochs = 4 });
        var watch = new AfterEpochs(() => (Encoder(learner), [], []));
        await new Trainer(Adversarial with { Epochs = 4 }, TinyTraining.Data, learner, watch)
        {
            FitPrior = () =>
            {
                fitted.Add(Encoder(learner));
                return null;
            },
        }.RunAsync(TrainingState.Start, default);
        Assert.Equal(watch.Seen[3].Encoder, Assert.Single(fitted));
    }

    [Fact]
    public async Task The_decoder_learns_from_what_the_fitted_prior_draws()
    {
        var (standard, fitted) = (await DecoderAfter(_ => null), await DecoderAfter(FarAway));
        Assert.NotEqual(standard, fitted);

        static LatentDensity FarAway(Learner learner)
        {
            var size = learner.Model.LatentSize;
            var density = (GaussianMixture)new GaussianMixtureOptions { Latent = size, Components = 1, Rank = 1 }.Build();
            var axes = new double[size, size];
            for (var i = 0; i < size; i++) axes[i, i] = 1;
            density.Assign([.. Enumerable.Repeat(5.0, size)], axes, [(1, [0], new[,] { { 1.0 } })],
                [.. Enumerable.Repeat(1.0, size - 1)]);
            return density;
        }

        static async Task<float[]> DecoderAfter(Func<Learner, LatentDensity?> fit)
        {
            var learner = TinyTraining.Build(Adversarial);
            await new Trainer(Adversarial, TinyTraining.Data, learner, new Silence()) { FitPrior = () => fit(learner) }
                .RunAsync(TrainingState.Start, default);
            return Decoder(learner);
        }
    }

    [Fact]
    public async Task An_adversary_without_a_prior_to_draw_from_is_refused() =>
        Assert.Contains("FitPrior", (await Assert.ThrowsAsync<InvalidOperationException>(() =>
            new Trainer(Adversarial, TinyTraining.Data, TinyTraining.Build(Adversarial), new Silence())
                .RunAsync(TrainingState.Start, default))).Message);

    [Fact]
    public async Task The_schedule_spans_the_first_part_and_the_adversary_has_a_rate_of_its_own()
    {
        var recipe = Adversarial with { Epochs = 3, Adversary = new() { From = 0.6f, LearningRate = 2e-4f } };
        var (_, state) = await TinyTraining.TrainAsync(new FolderBlobStore(folder.Path), recipe);
        var rates = state.History.Select(epoch => epoch.LearningRate).ToArray();
        Assert.InRange(rates[1], 0.03 * recipe.Optimizer.LearningRate, 0.1 * recipe.Optimizer.LearningRate);
        Assert.Equal(2e-4f, rates[2], 1e-9f);
    }

    /// <summary>The penalty is w Σ deceit of samples + N · the discriminator's loss.</summary>
    [Fact]
    public void The_penalty_is_of_samples_and_does_not_depend_on_reconstructions()
    {
        var learner = TinyTraining.Build(Adversarial);
        var model = learner.Model;
        var backend = model.Parameters.Backend;
        using var images = new BatchSource(TinyTraining.Data.Train, model);
        var batch = images.Gather([0, 1, 2], new(1, "noise"));
        var drawn = backend.FromValues(new RandomStream(2, "drawn").Gaussians(3 * model.LatentSize), new(3, model.LatentSize));

        var network = ResNet18.On(backend);
        var discriminator = new Discriminator(backend, Adversarial.Seed);
        var samples = network.Features(model.Likelihood.Shades(model.Decode(drawn)));
        var real = network.Features(batch.PixelsOn(backend).Transpose(0, 3, 1, 2));
        var (deceit, loss) = (discriminator.Deceit(samples).Sum().ToScalar(), discriminator.Loss(real, samples).ToScalar());

        double Penalty(float weight) => Terms(weight, batch).Penalty!.ToScalar();
        Assert.Equal(deceit, (Penalty(0.7f) - Penalty(0.2f)) / 0.5, 1e-3 * Math.Abs(deceit) + 1e-4);
        Assert.Equal(0.7 * deceit + 3 * loss, Penalty(0.7f), 1e-3 * loss);
        Assert.InRange(loss, 4, 8); // heads that know nothing pay 2 each for an image
        var other = images.Gather([0, 1, 2], new(7, "noise")); // the same images, other codes
        Assert.Equal(Penalty(0.7f), Terms(0.7f, other).Penalty!.ToScalar());
        Assert.NotEqual(Terms(0.7f, batch).Perceptual!.ToArray(), Terms(0.7f, other).Perceptual!.ToArray());

        NegativeElbo Terms(float weight, Batch of) => new Adversary(new() { Weight = weight }, backend, Adversarial.Seed)
            .Terms(of, model, backend.Record(), drawn);
    }

    [Fact]
    public async Task A_session_that_is_stopped_in_the_last_part_goes_on_to_the_same_loss()
    {
        // 72 codes, which a prior is fitted to, in five steps an epoch.
        var recipe = Adversarial with { Data = "faces:80", Epochs = 3 };
        var request = new TrainingRequest("adversary", recipe, new FolderBlobStore(folder.Path))
        {
            Publish = false,
        };
        var whole = await TrainingSession.RunAsync(request with { Model = "whole" });

        using var stop = new CancellationTokenSource();
        var stopped = await TrainingSession.RunAsync(request with { Model = "cut", Log = new StopAt(13, stop) }, stop.Token);
        Assert.Equal((TrainingEnd.Interrupted, 2), (stopped.End, stopped.Epochs));
        var resumed = await TrainingSession.RunAsync(request with { Model = "cut", Resume = Resume.Always });
        Assert.Equal((TrainingEnd.Trained, whole.TestLoss), (resumed.End, resumed.TestLoss));
    }

    [Fact]
    public async Task A_session_that_is_stopped_while_the_prior_is_fitted_says_how_to_go_on()
    {
        var recipe = Adversarial with { Data = "faces:80", Epochs = 2 };
        using var stop = new CancellationTokenSource();
        var log = new StopAt("the encoder rests", stop);
        var stopped = await TrainingSession.RunAsync(
            new("adversary", recipe, new FolderBlobStore(folder.Path)) { Publish = false, Log = log }, stop.Token);
        Assert.Equal((TrainingEnd.Interrupted, 1), (stopped.End, stopped.Epochs));
        Assert.Contains(log.Lines, line => line.Contains("Go on with --resume", StringComparison.Ordinal));
    }

    [Fact]
    public async Task One_epoch_is_too_few_for_an_adversary_which_is_said()
    {
        var log = new StopAt("never", new());
        var recipe = Adversarial with { Data = "faces:80", Epochs = 1 };
        await TrainingSession.RunAsync(
            new("adversary", recipe, new FolderBlobStore(folder.Path)) { Publish = false, Log = log });
        Assert.Contains(log.Lines, line => line.StartsWith("one epoch is too few for the adversary", StringComparison.Ordinal));
    }

    [Fact]
    public void What_no_adversary_can_have_is_refused()
    {
        Assert.Contains("adversary.from is 1; it must be above 0 and below 1", Refused(new() { From = 1 }));
        Assert.Contains("adversary.weight is 0; it must be above 0", Refused(new() { Weight = 0 }));
        Assert.Contains("adversary.learningRate is 0", Refused(new() { LearningRate = 0 }));
        var rest = (Adversarial with { Adversary = null }).ToJson().TrimStart('{');
        Assert.Contains("did you mean \"from\"", Assert.Throws<RecipeException>(() =>
            Recipe.Parse($$"""{ "adversary": { "form": 0.5 }, {{rest}}""", "adversary")).Message);

        static string Refused(AdversaryRecipe adversary) => Assert.Throws<RecipeException>(() =>
            (Adversarial with { Adversary = adversary }).Check("adversary")).Message;
    }

    [Fact]
    public void A_recipe_without_a_place_for_an_adversary_says_why()
    {
        Assert.Contains("objective.perceptual", Refused(Adversarial with { Objective = new() }));
        Assert.Contains("patience", Refused(Adversarial with { Patience = 2 }));
        Assert.Contains("vae-gan", Refused(TechniqueTests.Named("vae-gan") with
        {
            Objective = Adversarial.Objective,
            Adversary = new(),
        }));

        static string Refused(Recipe recipe) => Assert.Throws<RecipeException>(() => recipe.Check("adversary")).Message;
    }

    [Fact]
    public void An_adversary_begins_after_its_part_of_the_epochs_but_not_with_the_first_and_not_after_the_last()
    {
        Assert.Equal([null, 1, 2, 5], FirstOf(0.5f, 1, 2, 3, 10));
        Assert.Equal([null, 1, 1, 1], FirstOf(0.01f, 1, 2, 3, 10));
        Assert.Equal([9], FirstOf(0.9f, 10));
        Assert.Equal([null, 1, 3, 9], FirstOf(0.97f, 1, 2, 4, 10));

        static int?[] FirstOf(float from, params int[] epochs) => [.. epochs.Select(count =>
            (Adversarial with { Epochs = count, Adversary = new() { From = from } }).AdversarialFrom)];
    }

    [Fact]
    public void A_run_with_an_adversary_goes_on_with_its_own_number_of_epochs_only()
    {
        var constant = Adversarial with { Optimizer = new AdamRecipe() };
        Assert.False(constant.StepsLike(constant with { Epochs = 5 }));
        Assert.True((constant with { Adversary = null }).StepsLike(constant with { Adversary = null, Epochs = 5 }));
    }

    [Fact]
    public void Losses_with_another_adversary_or_none_are_not_compared()
    {
        Assert.NotEqual(Adversarial.LossName, (Adversarial with { Adversary = null }).LossName);
        Assert.NotEqual(Adversarial.LossName, (Adversarial with { Adversary = new() { From = 0.5f, Weight = 1 } }).LossName);
    }

    static float[] Encoder(Learner learner) => Values(learner, name => !name.StartsWith("decoder", StringComparison.Ordinal));

    static float[] Decoder(Learner learner) => Values(learner, name => name.StartsWith("decoder", StringComparison.Ordinal));

    static float[] Values(Learner learner, Func<string, bool> which) =>
        [.. learner.Model.Parameters.Where(parameter => which(parameter.Name))
            .SelectMany(parameter => parameter.Value.ToArray())];

    static float[] Heads(Learner learner) => [.. learner.Adversary!.State.SelectMany(tensor => tensor.Value.ToArray())];

    sealed class AfterEpochs(Func<(float[] Encoder, float[] Decoder, float[] Heads)> look) : ITrainingEvents
    {
        public List<(float[] Encoder, float[] Decoder, float[] Heads)> Seen { get; } = [];

        public void Stepped(int epoch, int batch, int batches, double loss, double imagesPerSecond)
        {
        }

        public Task EpochEndedAsync(TrainingState state)
        {
            Seen.Add(look());
            return Task.CompletedTask;
        }

        public Task SaveAsync(TrainingState state) => Task.CompletedTask;
    }

    /// <summary>Stops at a step, or at a line that has certain words.</summary>
    sealed class StopAt(CancellationTokenSource stop, int step, string words) : TrainingLog
    {
        int steps;

        public StopAt(int step, CancellationTokenSource stop) : this(stop, step, "\n")
        {
        }

        public StopAt(string words, CancellationTokenSource stop) : this(stop, int.MaxValue, words)
        {
        }

        public List<string> Lines { get; } = [];

        public override void Line(string text)
        {
            Lines.Add(text);
            if (text.Contains(words, StringComparison.Ordinal)) stop.Cancel();
        }

        public override void Loaded(int images, int of)
        {
        }

        public override void Stepped(int epoch, int epochs, int batch, int batches, double loss, double imagesPerSecond)
        {
            if (++steps == step) stop.Cancel();
        }
    }
}
