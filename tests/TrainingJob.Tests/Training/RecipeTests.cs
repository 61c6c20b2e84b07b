using System.Text.Json.Nodes;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Training;

public sealed class RecipeTests
{
    [Fact]
    public void Every_recipe_of_the_project_builds_its_model() =>
        Assert.All(RecipeBook.Names, name =>
            Assert.True(RecipeBook.Load(name).Recipe.Model.Build().Parameters.WeightCount > 1000));

    [Fact]
    public void The_reference_models_have_the_published_number_of_weights()
    {
        Assert.Equal(4_923_587, RecipeBook.Load("cifar10-conv-vae-128").Recipe.Model.Build().Parameters.WeightCount);
        Assert.Equal(550_629, RecipeBook.Load("mnist-conv-vae-2d").Recipe.Model.Build().Parameters.WeightCount);
        Assert.Equal(652_824, RecipeBook.Load("mnist-vae-20").Recipe.Model.Build().Parameters.WeightCount);
    }

    [Fact]
    public void A_recipe_survives_being_written_and_read()
    {
        var recipe = RecipeBook.Load("cifar10-conv-vae-128").Recipe;
        Assert.Equal(recipe.ToJson(), Recipe.Parse(recipe.ToJson(), "copy").ToJson());
    }

    [Fact]
    public void What_bounds_the_output_follows_the_likelihood_unless_it_is_written()
    {
        var json = JsonNode.Parse(RecipeBook.Load("faces-vae").Recipe.ToJson())!;
        var model = json["model"]!.AsObject();
        model["likelihood"] = new JsonObject { ["kind"] = "bernoulli" };
        model["output"] = "tanh";
        Assert.Contains("model.output is tanh",
            Assert.Throws<ModelOptionsException>(() => Recipe.Parse(json.ToJsonString(), "test").Model.Build()).Message,
            StringComparison.Ordinal);
        model.Remove("output");
        Assert.NotNull(Recipe.Parse(json.ToJsonString(), "test").Model.Build());
    }

    [Fact]
    public void A_longer_training_takes_the_same_steps_unless_its_schedule_spans_the_epochs()
    {
        var recipe = RecipeBook.Load("mnist-vae-20").Recipe;
        Assert.True(recipe.StepsLike(recipe with { Epochs = recipe.Epochs + 1 }));
        var cosine = recipe with { Optimizer = recipe.Optimizer with { Schedule = new CosineRate() } };
        Assert.True(cosine.StepsLike(cosine));
        Assert.False(cosine.StepsLike(cosine with { Epochs = cosine.Epochs + 1 }));
    }

    [Theory]
    [InlineData("no-such-recipe", "cifar10-conv-vae-128")]
    [InlineData("../recipes/mnist-vae-20", "mnist-vae-20")]
    [InlineData("nowhere.json", "mnist-vae-20")]
    public void A_recipe_that_is_not_there_is_answered_with_those_that_are(string name, string expected) =>
        Assert.Contains(expected, Assert.Throws<RecipeException>(() => RecipeBook.Load(name)).Message);

    [Theory]
    [InlineData("""{ "epoch": 3, "model": MODEL }""", "epoch")]
    [InlineData("""{ "epochs": 0, "model": MODEL }""", "epochs is 0")]
    [InlineData("""{ "batchSize": -1, "model": MODEL }""", "batchSize is -1")]
    [InlineData(
        """{ "objective": { "kl": { "kind": "constant", "weight": -1 } }, "model": MODEL }""", "objective.kl.weight is -1")]
    [InlineData("""{ "objective": { "samples": 0 }, "model": MODEL }""", "objective.samples is 0")]
    [InlineData("""{ "objective": { "frebits": 1 }, "model": MODEL }""", "did you mean \"freeBits\"")]
    [InlineData("""{ "objective": { "perceptual": -1 }, "model": MODEL }""", "objective.perceptual is -1")]
    [InlineData("""{ "objective": { "perceptual": 1, "samples": 5 }, "model": MODEL }""", "the bound of 5 samples")]
    [InlineData("""{ "augmentation": { "shift": 99 }, "model": MODEL }""", "augmentation.shift is 99; it must be from 0 to")]
    [InlineData("""{ "augmentation": { "brightness": 2 }, "model": MODEL }""", "augmentation.brightness is 2")]
    [InlineData("""{ "augmentation": { "turn": true }, "model": MODEL }""", "There are brightness, flip, shift")]
    [InlineData("""{ "optimizer": { "kind": "adam", "decay": -0.1 }, "model": MODEL }""", "optimizer.decay is -0.1")]
    [InlineData("""{ "patiense": 1, "model": MODEL }""", "did you mean \"patience\"")]
    [InlineData("""{ "averaging": 1, "model": MODEL }""", "averaging is 1")]
    [InlineData("""{ "optimizer": { "kind": "adan" }, "model": MODEL }""", "did you mean \"adam\"")]
    [InlineData("""{ "epochs": "3", "model": MODEL }""", "The value in epochs is not a whole number")]
    [InlineData("""{ "epochs": 5, "model": MODEL, "epochs": 3 }""", "Duplicate property 'epochs'")]
    [InlineData("""{ "epochs": 3 }""", "model")]
    [InlineData("""{ "model": { "kind": "no-such-kind" } }""", "no-such-kind")]
    [InlineData("""{ "optimizer": { "kind": "adam", "momentum": 1 }, "model": MODEL }""", "momentum")]
    [InlineData("", "JSON")]
    [InlineData("null", "empty")]
    [InlineData("[1, 2", "bad")]
    public void A_recipe_with_a_mistake_is_refused_with_what_is_wrong(string json, string expected)
    {
        const string model = """
            { "kind": "mlp-vae", "image": { "height": 2, "width": 2, "channels": 1 }, "hidden": [2], "latent": 1,
              "likelihood": { "kind": "bernoulli" } }
            """;
        Assert.Contains(expected, Assert.Throws<RecipeException>(() => Recipe.Parse(json.Replace("MODEL", model), "bad"))
            .Message);
    }

    [Fact]
    public void What_two_recipes_say_otherwise_is_told_key_by_key()
    {
        var recipe = TinyTraining.Recipe;
        var other = recipe with
        {
            BatchSize = recipe.BatchSize + 1,
            Objective = recipe.Objective with { FreeBits = 0.5f },
            Patience = 3,
        };
        string[] expected =
        [
            $"batchSize is {recipe.BatchSize}, not {recipe.BatchSize + 1}",
            "objective.freeBits is 0, not 0.5",
            "patience is absent, not 3",
        ];
        Assert.Equal(expected, recipe.DifferencesFrom(other).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Numbers_that_no_model_can_have_are_refused_before_memory_is_taken()
    {
        var model = (Models.ConvVaeOptions)TinyTraining.Recipe.Model;
        Assert.Contains("latent", Assert.Throws<ModelOptionsException>(() => (model with { Latent = 0 }).Build()).Message);
        Assert.Contains("channels", Assert.Throws<ModelOptionsException>(() => (model with { Channels = [1 << 20] }).Build())
            .Message);
        Assert.Contains("multiples of 4",
            Assert.Throws<Tensors.ShapeException>(() => (model with { Image = new(9, 8, 1) }).Build()).Message);
    }
}
