using System.Text;
using VaeFunctions.Data;
using VaeFunctions.Imaging;
using VaeFunctions.Models;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;
using VaeFunctions.Tests.Data;
using VaeFunctions.Tests.Training;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Sessions;

/// <summary>What becomes of folders for which no recipe is named, the bad cases above all.</summary>
public sealed class AutoRequestTests : Workspace
{
    readonly TemporaryFolder store = new();

    /// <summary>A picture of a disc in front of a gradient, each another.</summary>
    static Image Picture(int number, int width = 24, int height = 24, int channels = 3)
    {
        var random = new RandomStream(1, "pictures", (ulong)number);
        double x0 = random.NextDouble() * width, y0 = random.NextDouble() * height, hue = random.NextDouble();
        return new(width, height, channels, [.. Enumerable.Range(0, width * height * channels).Select(i =>
        {
            double x = i / channels % width, y = i / channels / width;
            var tint = channels == 1 ? 1 : 1 - 0.6 * Math.Abs(hue - i % channels / 2.0);
            var inside = (x - x0) * (x - x0) + (y - y0) * (y - y0) < width * height / 16.0;
            return (byte)(tint * (inside ? 200 : 60 + 80 * x / width));
        })]);
    }

    static byte[] Png(int number, int width = 24, int height = 24, int channels = 3) =>
        ImageCodec.EncodePng(Picture(number, width, height, channels));

    void WritePictures(int count, string folder = "", int channels = 3)
    {
        for (var i = 0; i < count; i++) Write($"{folder}{i:000}.png", Png(i, channels: channels));
    }

    Task<TrainingRequest> RequestAsync() =>
        AutoRequest.OfAsync($"folder:{Root}", new FolderBlobStore(store.Path), Log.Add);

    /// <summary>Trains for an epoch, and gives all that was said.</summary>
    async Task<(TrainingOutcome Outcome, string Said)> TrainAsync()
    {
        var request = await RequestAsync() with { Epochs = 1, Model = "mine", Log = new Listening(Log) };
        var outcome = await TrainingSession.RunAsync(request);
        return (outcome, string.Join('\n', Log));
    }

    [Fact]
    public async Task An_empty_folder_says_what_to_put_there()
    {
        Assert.Contains("Put images there", (await Assert.ThrowsAsync<DataException>(RequestAsync)).Message);
        Write("notes.txt", [1]);
        Assert.Contains("among 1 file, such as notes.txt", (await Assert.ThrowsAsync<DataException>(RequestAsync)).Message);
    }

    [Fact]
    public async Task A_length_that_is_given_is_not_said_to_be_chosen()
    {
        WritePictures(12);
        await AutoRequest.OfAsync($"folder:{Root}", new FolderBlobStore(store.Path), Log.Add, "--minutes");

        var said = string.Join('\n', Log);
        Assert.Contains("--minutes decides how many epochs there are", said);
        Assert.DoesNotContain("sets a time instead", said);
        Assert.DoesNotMatch(@"\b1 (images|epochs|steps|labels)\b", said);
    }

    [Fact]
    public async Task One_image_is_too_few_and_is_told_so_before_anything_is_chosen()
    {
        WritePictures(1);
        var error = await Assert.ThrowsAsync<DataException>(RequestAsync);
        Assert.Contains("there is 1 image; a model needs at least 2", error.Message);
        Assert.Empty(Log);
    }

    [Fact]
    public async Task Twelve_labels_of_one_image_each_are_trained_and_it_is_said_what_they_lack()
    {
        for (var label = 0; label < 12; label++) Write($"label {label}/a.png", Png(label));
        var (outcome, said) = await TrainAsync();
        Assert.Equal(TrainingEnd.Published, outcome.End);
        Assert.Contains("12 labels: they become concepts to edit by, but the 12 with fewer than 5 images", said);
        Assert.Contains("has its only image among those to test with", said);
        Assert.Contains("12 images are few", said);
        Assert.Empty(outcome.Manifest!.Concepts);
    }

    [Fact]
    public async Task Three_of_a_hundred_files_that_cannot_be_read_are_left_out_and_named()
    {
        WritePictures(97);
        for (var i = 0; i < 3; i++) Write($"broken {i}.jpg", Encoding.ASCII.GetBytes("no picture"));
        var (outcome, said) = await TrainAsync();
        Assert.Equal(97, outcome.Manifest!.Data.Train + outcome.Manifest.Data.Test);
        Assert.Contains("left out 3 of 100 images that cannot be read", said);
        Assert.Contains("broken 0.jpg", said);
    }

    [Fact]
    public async Task Grey_maps_make_a_grey_model()
    {
        for (var i = 0; i < 20; i++)
            Write($"{i}.pgm", [.. Encoding.ASCII.GetBytes("P5 24 24 255\n"), .. Picture(i, channels: 1).Pixels]);
        var (outcome, said) = await TrainAsync();
        Assert.Equal(1, outcome.Manifest!.Image.Channels);
        Assert.Contains("grey: ", said);
    }

    [Fact]
    public async Task Grey_images_that_were_saved_in_colour_make_a_grey_model_too()
    {
        for (var i = 0; i < 20; i++) Write($"{i}.png", ImageCodec.EncodePng(Picture(i, channels: 1).ToChannels(3)));
        Assert.Equal(1, (await RequestAsync()).Recipe.Model.Image.Channels);
    }

    [Fact]
    public async Task A_table_with_a_missing_file_and_a_column_of_words_is_used_for_the_rest()
    {
        WritePictures(30);
        Write("attributes.csv", Encoding.UTF8.GetBytes("file,round,kind\n" + string.Concat(
            Enumerable.Range(0, 30).Select(i => $"{i:000}.png,{i % 2},{(i % 3 == 0 ? "cat" : "dog")}\n")) + "gone.png,1,cat\n"));
        var (outcome, said) = await TrainAsync();
        Assert.Equal(["round"], outcome.Manifest!.Concepts.Select(concept => concept.Name));
        Assert.Contains("gone.png", said);
        Assert.Contains("kind", said);
    }

    [Fact]
    public async Task A_test_folder_of_one_image_is_used_and_its_figures_are_called_worthless()
    {
        WritePictures(12, "train/");
        WritePictures(1, "test/");
        var (outcome, said) = await TrainAsync();
        Assert.Equal((12, 1), (outcome.Manifest!.Data.Train, outcome.Manifest.Data.Test));
        Assert.Contains("figures of 1 test image say little", said);
        var registry = new ModelRegistry(new FolderBlobStore(store.Path));
        var report = (await registry.ReadFileAsync(outcome.Manifest, "report.html")).ToString();
        Assert.Contains("Figures of 1 test image say little", report);
        Assert.Contains("6 steps teach little about photographs", report); // of two images each
    }

    [Fact]
    public async Task Where_no_model_is_published_it_is_said_how_one_is_made()
    {
        var registry = new ModelRegistry(new FolderBlobStore(store.Path));
        var error = await Assert.ThrowsAsync<RegistryException>(() => Publisher.ServingVersionAsync(registry, "mine"));
        Assert.Contains("none is there yet, and ./vae train makes one", error.Message);
    }

    [Fact]
    public async Task The_recipe_lies_beside_the_run_and_trains_the_same_model_again()
    {
        WritePictures(20);
        var (outcome, said) = await TrainAsync();
        var path = Path.Combine(store.Path, "checkpoints", "mine", outcome.Run!, "mine.json");
        Assert.Contains(path, said);
        var again = TrainingRequest.Of(path, new FolderBlobStore(store.Path));
        Assert.Equal("mine", again.Model);
        Assert.Equal($"folder:{Root}", again.Recipe.Data);
        Assert.Equal(1, again.Recipe.Epochs); // what was trained, --epochs included
        var repeated = await TrainingSession.RunAsync(again);
        Assert.Equal(outcome.TestLoss, repeated.TestLoss);
    }

    [Fact]
    public async Task The_model_is_called_like_the_folder_where_that_is_a_name()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Root, "My Flowers (2024)")).FullName;
        foreach (var i in Enumerable.Range(0, 3)) File.WriteAllBytes(Path.Combine(folder, $"{i}.png"), Png(i));
        var request = await AutoRequest.OfAsync($"folder:{folder}/", new FolderBlobStore(store.Path), Log.Add);
        Assert.Equal("my-flowers-2024", request.Model);
    }

    [Fact]
    public async Task Without_images_to_look_at_it_asks_for_them() =>
        Assert.Contains("Give --data folder:PATH, or a recipe: ", (await Assert.ThrowsAsync<RecipeException>(
            () => AutoRequest.OfAsync(null, new FolderBlobStore(store.Path), Log.Add))).Message);

    // --- what is chosen -------------------------------------------------------------------------------------------------

    static ImageSurvey Survey(
        int images, int width, int height, bool oneSize = false, bool coloured = true, double extremes = 0) =>
        new(images, images - images / 10, [], width, height, oneSize, coloured, extremes, 200);

    static Recipe For(ImageSurvey survey)
    {
        var recipe = AutoRecipe.For(survey, "folder:pictures").Recipe;
        Assert.Equal(recipe.ToJson(), Recipe.Parse(recipe.ToJson(), "made").ToJson());
        recipe.Model.Build(); // the architecture takes the size
        return recipe;
    }

    [Theory]
    [InlineData(3000, 500, 400, 64, 64)]
    [InlineData(3000, 1200, 800, 64, 40)]
    [InlineData(3000, 400, 900, 32, 64)]
    [InlineData(3000, 30, 30, 32, 32)]
    [InlineData(200, 4000, 3000, 64, 48)]
    public void Photographs_get_a_size_that_two_cores_can_train(int images, int width, int height, int toWidth, int toHeight)
    {
        var recipe = For(Survey(images, width, height));
        Assert.Equal("spatial-vae", recipe.Model.Kind);
        Assert.Equal(new ImageShape(toHeight, toWidth, 3), recipe.Model.Image);
    }

    [Fact]
    public void Many_photographs_get_an_adversary_and_few_of_them_none()
    {
        Assert.NotNull(For(Survey(5000, 3000, 2000)).Adversary);
        Assert.NotNull(For(Survey(5000, 56, 40, oneSize: true)).Adversary);
        Assert.NotNull(For(Survey(5000, 32, 32, oneSize: true)).Adversary);
        Assert.Null(For(Survey(500, 3000, 2000)).Adversary);
        foreach (var (width, height) in new[] { (3000, 2000), (56, 40), (64, 64), (40, 40), (64, 56), (1000, 200) })
            For(Survey(5000, width, height, oneSize: width < 100)).Model.Build(); // the sides can be halved
    }

    [Fact]
    public void Images_of_one_small_size_keep_it() =>
        Assert.Equal(new ImageShape(40, 56, 3), For(Survey(5000, 56, 40, oneSize: true)).Model.Image);

    [Fact]
    public void Writing_gets_a_Bernoulli_likelihood_and_its_own_size()
    {
        var recipe = For(Survey(60_000, 28, 28, oneSize: true, coloured: false, extremes: 0.9));
        Assert.Equal(("conv-vae", new ImageShape(28, 28, 1)), (recipe.Model.Kind, recipe.Model.Image));
        Assert.IsType<BernoulliOptions>(recipe.Model.Likelihood);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(40)]
    [InlineData(300)]
    [InlineData(3000)]
    [InlineData(100_000)]
    public void No_set_is_trained_for_fewer_than_2000_steps(int images)
    {
        var survey = Survey(images, 300, 300);
        var recipe = For(survey);
        var steps = (survey.Train + recipe.BatchSize - 1) / recipe.BatchSize;
        Assert.InRange((long)steps * recipe.Epochs, 2000, 20_000);
    }

    [Theory]
    [InlineData(10, 0.1, 100, 48)]
    [InlineData(1, 0.1, 10_000, 1)]
    [InlineData(1000, 1e-9, 1, 1_000_000)]
    public void A_time_is_enough_for_so_many_epochs_and_for_one_at_least(double minutes, double step, int steps, int epochs) =>
        Assert.Equal(epochs, Pace.EpochsWithin(TimeSpan.FromMinutes(minutes), step, steps));

    [Theory]
    [InlineData(10, 1, 0.2)]
    [InlineData(200, 20, 4)]
    [InlineData(400, 20, 4)]
    public void A_shorter_training_shortens_warm_up_and_rise_of_the_KL_weight(int epochs, double rise, double warmUp)
    {
        var recipe = TinyTraining.Recipe with
        {
            Epochs = 200,
            Optimizer = new AdamRecipe { Schedule = new CosineRate { WarmUp = 4 } },
            Objective = new() { Kl = new LinearKl { Epochs = 20 } },
        };
        var planned = Pace.WithEpochs(recipe, epochs);
        Assert.Equal((epochs, warmUp), (planned.Epochs, planned.Optimizer.Schedule.WarmUp));
        Assert.Equal(rise, Assert.IsType<LinearKl>(planned.Objective.Kl).Epochs);
        var cycles = Pace.WithEpochs(recipe with { Objective = new() { Kl = new CyclicalKl { Epochs = 20 } } }, epochs);
        Assert.Equal(rise, Assert.IsType<CyclicalKl>(cycles.Objective.Kl).Epochs);
    }

    [Fact]
    public async Task A_budget_trains_as_many_epochs_as_were_planned_and_says_so()
    {
        WritePictures(20);
        var request = await RequestAsync() with
        {
            Budget = TimeSpan.FromSeconds(8),
            Model = "mine",
            Log = new Listening(Log),
            Publish = false,
        };
        var outcome = await TrainingSession.RunAsync(request);
        Assert.Equal(TrainingEnd.Trained, outcome.End);
        Assert.True(outcome.Epochs >= 1);
        Assert.Contains(Log, line => line.StartsWith("a step takes ", StringComparison.Ordinal)
            && line.Contains($": {outcome.Epochs:N0} epoch", StringComparison.Ordinal));
    }

    sealed class Listening(List<string> lines) : TrainingLog
    {
        public override void Line(string text)
        {
            lock (lines) lines.Add(text);
        }

        public override void Loaded(int images, int of)
        {
        }

        public override void Stepped(int epoch, int epochs, int batch, int batches, double loss, double imagesPerSecond)
        {
        }
    }
}
