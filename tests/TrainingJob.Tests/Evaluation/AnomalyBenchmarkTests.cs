using VaeFunctions.Cpu;
using VaeFunctions.Data;
using VaeFunctions.Evaluation;
using VaeFunctions.Models;
using VaeFunctions.Tensors;
using VaeFunctions.Tests.Training;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Evaluation;

public sealed class AnomalyBenchmarkTests
{
    /// <summary>Bars that lie or stand, and squares: three labels, and a fourth that no image has.</summary>
    static DataSplit Shapes { get; } = DataSplit.Of(Draw(240, 1), Draw(90, 2), "shapes");

    static ImageDataset Draw(int count, ulong seed)
    {
        var random = new RandomStream(seed, "shapes");
        int[] labels = [.. Enumerable.Range(0, count).Select(i => i % 3)];
        return new(new(8, 8, 1), [.. labels.Select(label =>
        {
            var (x, y) = (random.NextInt(6), random.NextInt(6));
            return Enumerable.Range(0, 64).Select(i =>
            {
                var (inX, inY) = (i % 8 >= x && i % 8 < x + 2, i / 8 >= y && i / 8 < y + 2);
                return label switch { 0 => inY, 1 => inX, _ => inX && inY } ? (byte)240 : (byte)10;
            }).ToArray();
        })], labels, ["lying", "standing", "square", "absent"]);
    }

    [Fact]
    public async Task A_model_of_one_shape_finds_others_strange()
    {
        var benchmark = new AnomalyBenchmark(TinyTraining.Recipe with { Epochs = 60 }, Shapes, new CpuBackend());
        var score = (await benchmark.RunAsync(0, default))!;
        Assert.Equal(("lying", 80), (score.Label, score.TrainingImages));
        Assert.InRange(score.Error, 0.9, 1);
        Assert.InRange(score.Elbo, 0.8, 1);
        Assert.Equal(score, await benchmark.RunAsync(0, default)); // nothing of it is left to chance
        Assert.Null(await benchmark.RunAsync(3, default));
        foreach (var part in (string[])["60 epochs", "all 90 test images", "the 3 other labels", "seed 1"])
            Assert.Contains(part, benchmark.Protocol);
    }

    [Fact]
    public async Task What_cannot_be_benchmarked_is_refused()
    {
        var error = await Assert.ThrowsAsync<DataException>(
            () => new AnomalyBenchmark(TinyTraining.Recipe, TinyTraining.Data, new CpuBackend()).RunAsync(0, default));
        Assert.Contains("have 0 labels", error.Message);
        var conditional = TinyTraining.Recipe with { Model = (ConvVaeOptions)TinyTraining.Recipe.Model with { Classes = 4 } };
        Assert.Contains("model.classes",
            (await Assert.ThrowsAsync<RecipeException>(() => new AnomalyBenchmark(conditional, Shapes, new CpuBackend())
            .RunAsync(0, default))).Message);
    }

    [Fact]
    public async Task A_conditional_model_is_measured_with_labels_and_its_samples_are_read()
    {
        using var folder = new Folder();
        var recipe = TinyTraining.Recipe with
        {
            Epochs = 25,
            Model = (ConvVaeOptions)TinyTraining.Recipe.Model with { Classes = 4 }
        };
        var (learner, _) = await TinyTraining.TrainAsync(folder.Store, recipe, Shapes);
        var metrics = ModelEvaluation.Of(learner.Model, Shapes, recipe, new(Draws: 5, Images: 20)).Metrics;
        Assert.InRange(metrics["samples_read_as_asked"], 0, 1);
        Assert.InRange(metrics["linear_probe_accuracy"], 0.2, 1);
        Assert.Equal(1 / 3.0, metrics["majority_class_accuracy"], 6);
        Assert.InRange(metrics["classifier_accuracy"], 0.2, 1);
    }
}
