using VaeFunctions.Registry;
using VaeFunctions.Sessions;
using VaeFunctions.Tensors;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Training;

/// <summary>The last epochs, in which the decoder learns to deceive a discriminator.</summary>
public sealed class AdversaryTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    static Recipe Deceit { get; } = TechniqueTests.Named("deceit") with { Epochs = 2, Averaging = null };

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task From_then_on_the_encoder_rests_and_the_decoder_and_the_heads_learn()
    {
        var learner = TinyTraining.Build(Deceit);
        var heads = Heads(learner);
        var watch = new AfterEpochs(() => (Encoder(learner), Decoder(learner), Heads(learner)));
        await new Trainer(Deceit, TinyTraining.Data, learner, watch).RunAsync(TrainingState.Start, default);

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
        var learner = TinyTraining.Build(Deceit with { Epochs = 4 });
        var watch = new AfterEpochs(() => (Encoder(learner), [], []));
        await new Trainer(Deceit with { Epochs = 4 }, TinyTraining.Data, learner, watch)
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
    public async Task A_session_that_is_stopped_in_the_last_part_goes_on_to_the_same_loss()
    {
        // 72 codes, which a prior is fitted to, in five steps an epoch.
        var recipe = Deceit with { Data = "faces:80", Epochs = 3 };
        var request = new TrainingRequest("deceit", recipe, new FolderBlobStore(folder.Path))
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

    [Theory]
    [InlineData("""{"from": 1}""", "adversary.from is 1; it must be above 0 and below 1")]
    [InlineData("""{"weight": 0}""", "adversary.weight is 0; it must be above 0")]
    [InlineData("""{"learningRate": 0}""", "adversary.learningRate is 0")]
    [InlineData("""{"form": 0.5}""", "from")]
    public void What_no_adversary_can_have_is_refused(string adversary, string expected)
    {
        var json = Deceit.ToJson().Replace(JsonOf(Deceit.Adversary!), adversary, StringComparison.Ordinal);
        Assert.Contains(expected, Assert.Throws<RecipeException>(() => Recipe.Parse(json, "deceit")).Message);
    }

    [Fact]
    public void A_recipe_without_a_place_for_an_adversary_says_why()
    {
        Assert.Contains("objective.perceptual", Refused(Deceit with { Objective = new() }));
        Assert.Contains("patience", Refused(Deceit with { Patience = 2 }));
        Assert.Contains("vae-gan", Refused(TechniqueTests.Named("adversary") with
        {
            Objective = Deceit.Objective,
            Adversary = new(),
        }));

        static string Refused(Recipe recipe) => Assert.Throws<RecipeException>(() => recipe.Check("deceit")).Message;
    }

    [Fact]
    public void It_begins_after_its_part_of_however_many_epochs_and_never_with_the_first()
    {
        Assert.Equal([null, 1, 2, 5], new[] { 1, 2, 3, 10 }.Select(epochs => (Deceit with { Epochs = epochs }).AdversarialFrom));
        Assert.Equal([null, 1, 1, 9], new[] { 1, 2, 3, 10 }.Select(epochs =>
            (Deceit with { Epochs = epochs, Adversary = new() { From = epochs == 10 ? 0.9f : 0.01f } }).AdversarialFrom));
    }

    [Fact]
    public void Losses_with_and_without_an_adversary_are_not_compared() =>
        Assert.NotEqual(Deceit.LossName, (Deceit with { Adversary = null }).LossName);

    static string JsonOf(AdversaryRecipe adversary) =>
        $$"""
        {
            "from": {{adversary.From}},
            "weight": {{adversary.Weight}},
            "learningRate": {{adversary.LearningRate:0.####}}
          }
        """;

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
            if (++steps == step) stop.Cancel();
        }
    }
}
