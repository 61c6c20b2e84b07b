using VaeFunctions.Data;
using VaeFunctions.Training;

namespace VaeFunctions.Bench;

/// <summary>A recipe to measure the training of, with the arithmetic that one of its images takes.</summary>
/// <param name="Images">Images of a round: enough for a second or two.</param>
/// <param name="Layers">Each product's weights and the places they are applied at, the first layer first.</param>
sealed record BenchCase(string Recipe, int Images, params (long Weights, int Places)[] Layers)
{
    public static readonly BenchCase[] All =
    [
        new("cifar10-conv-vae-128", 4096,
            (3 * 32 * 16, 256), (32 * 64 * 16, 64), (64 * 128 * 16, 16), (2048 * 1024, 1), (1024 * 256, 1),
            (128 * 1024, 1), (1024 * 2048, 1), (128 * 64 * 16, 16), (64 * 32 * 16, 64), (32 * 3 * 16, 256)),
        new("mnist-conv-vae-2d", 1024,
            (1 * 32 * 9, 784), (32 * 64 * 9, 196), (64 * 64 * 9, 196), (64 * 64 * 9, 196), (12544 * 32, 1), (32 * 4, 1),
            (2 * 12544, 1), (64 * 32 * 9, 196), (32 * 1 * 9, 784)),
        new("mnist-vae-20", 32768, (784 * 400, 1), (400 * 40, 1), (20 * 400, 1), (400 * 784, 1)),
        new("mnist-ae-64", 32768, (784 * 256, 1), (256 * 64, 1), (64 * 256, 1), (256 * 784, 1)),
    ];

    /// <summary>Floating-point operations of a training step per image: two for each weight and place forwards, and
    /// two more each for the gradients in the weights and in the input, which the first layer does without.</summary>
    public double FlopPerImage =>
        Layers.Sum(layer => 6.0 * layer.Weights * layer.Places) - 2.0 * Layers[0].Weights * Layers[0].Places;

    /// <summary>Random pixels of the recipe's shape: the time of a step does not depend on what they show.</summary>
    public static DataSplit RandomImages(Recipe recipe, int count)
    {
        var random = new Random(1);
        ImageDataset Draw(int images) => new(recipe.Model.Image, [.. Enumerable.Range(0, images).Select(_ =>
        {
            var pixels = new byte[recipe.Model.Image.Size];
            random.NextBytes(pixels);
            return pixels;
        })]);
        return new(Draw(count), Draw(recipe.BatchSize), "random", "random");
    }
}
