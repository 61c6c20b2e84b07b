using VaeFunctions.Cpu;
using VaeFunctions.Features;
using VaeFunctions.Reference;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;
using VaeFunctions.Tensors;
using VaeFunctions.Tests.Training;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Features;

public sealed class PerceptualDistanceTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void It_is_0_between_equal_images_and_grows_with_the_difference()
    {
        var backend = new CpuBackend();
        var distance = new PerceptualDistance(ResNet18.On(backend));
        var waves = ResNet18Tests.Shades(1, 3, 32, 32);
        var noise = new RandomStream(1, "noise").Gaussians(waves.Length);
        var changed = new[] { 0f, 10f, 40f }.Select(amount => waves.Zip(noise, (wave, part) => wave + amount * part));
        Shape shape = new(3, 3, 32, 32);
        var distances = distance.Of(backend.FromValues([.. changed.SelectMany(image => image)], shape),
            backend.FromValues([.. waves, .. waves, .. waves], shape)).ToArray();
        Assert.Equal(0, distances[0], 1e-6f);
        Assert.InRange(distances[1], 0.05f, distances[2]);
        Assert.InRange(distances[2], 2 * distances[1], 8);
    }

    [Fact]
    public void It_is_the_same_for_grey_and_for_three_equal_channels()
    {
        var backend = new CpuBackend();
        var distance = new PerceptualDistance(ResNet18.On(backend));
        float[] x = ResNet18Tests.Shades(1, 1, 32, 32), y = [.. x.Reverse()];
        Assert.Equal(
            distance.Of(Image([.. x, .. x, .. x]), Image([.. y, .. y, .. y])).ToArray(),
            distance.Of(Image(x), Image(y)).ToArray());

        Tensor Image(float[] shades) => backend.FromValues(shades, new(1, shades.Length / 1024, 32, 32));
    }

    /// <summary>(d(x + h·v) − d(x − h·v)) / 2h along random directions v, in double precision, on shades of 0 to 255.</summary>
    [Fact]
    public void Its_gradient_agrees_with_finite_differences_and_the_CPU_with_that()
    {
        const double step = 1e-3;
        Shape shape = new(1, 3, 8, 8);
        var (reference, cpu) = (new ReferenceBackend(), new CpuBackend());
        float[] x = ResNet18Tests.Shades(1, 3, 8, 8), y = [.. x.Select((value, i) => value / 2 + i % 7 * 10)];
        var exact = ((ReferenceTensor)Gradient(reference)).Values;
        for (var direction = 0; direction < 5; direction++)
        {
            var v = new RandomStream(1, "direction", (ulong)direction).Gaussians(shape.Count);
            var difference = (At(step) - At(-step)) / (2 * step);
            Assert.Equal(difference, exact.Zip(v, (slope, part) => slope * part).Sum(), 1e-5 * exact.Max(Math.Abs));

            double At(double h)
            {
                var moved = reference.FromDoubles([.. x.Zip(v, (value, part) => value + h * part)], shape);
                var distance = new PerceptualDistance(ResNet18.On(reference)).Of(moved, reference.FromValues(y, shape));
                return ((ReferenceTensor)distance).Values[0];
            }
        }
        Assert.All(exact.Zip(Gradient(cpu).ToArray()),
            pair => Assert.Equal(pair.First, pair.Second, 1e-4 * exact.Max(Math.Abs)));

        Tensor Gradient(ITrainingBackend backend)
        {
            var network = ResNet18.On(backend);
            var tape = backend.Record();
            var variable = tape.Variable(backend.FromValues(x, shape));
            var loss = new PerceptualDistance(network).Of(variable, tape.FromValues(y, shape)).Sum();
            return tape.Backward(loss)[variable]!;
        }
    }

    [Fact]
    public void Black_images_without_any_feature_have_a_finite_gradient()
    {
        var backend = new CpuBackend();
        var tape = backend.Record();
        var black = tape.Variable(backend.FromValues(new float[192], new(1, 3, 8, 8)));
        var loss = new PerceptualDistance(ResNet18.On(backend)).Of(black, tape.FromValues(new float[192], new(1, 3, 8, 8))).Sum();
        Assert.Equal(0, loss.ToScalar(), 1e-6f);
        Assert.All(tape.Backward(loss)[black]!.ToArray(), slope => Assert.True(float.IsFinite(slope)));
    }

    /// <summary>The network has 16 million weights and the model some thousands.</summary>
    [Fact]
    public async Task A_model_trained_with_it_is_saved_and_published_without_the_network()
    {
        var plain = TinyTraining.Recipe with { Epochs = 1 };
        var recipe = plain with { Objective = new() { Perceptual = 0.5f } };
        var store = new FolderBlobStore(folder.Path);
        var (learner, state) = await TinyTraining.TrainAsync(store, recipe);
        var metrics = state.History[^1];
        Assert.InRange(metrics.Test.MeanPerceptual!.Value, 0.01, 8);
        Assert.Equal(metrics.Test.MeanReconstruction + metrics.Test.MeanKl + 0.5 * metrics.Test.MeanPerceptual.Value,
            metrics.Test.Loss, 1e-6);

        var checkpoint = await Checkpoint.ReadAsync(store, "discs", "run");
        Assert.Equal(TinyTraining.Build(plain).State.Select(parameter => parameter.Name).Order(),
            checkpoint.Tensors.Tensors.Select(tensor => tensor.Name).Order());

        var registry = new ModelRegistry(store);
        var manifest = await new Publisher(registry, new()).PublishAsync(
            "discs", recipe, TinyTraining.Data, learner.Model, state.History, force: false);
        Assert.Contains("0.5 perceptual distance", manifest.Loss);
        Assert.All(manifest.Files.Where(file => file.Name.EndsWith(".onnx", StringComparison.Ordinal)
            || file.Name.EndsWith(".safetensors", StringComparison.Ordinal)),
            file => Assert.InRange(file.Size, 1, 8 * learner.Model.Parameters.Sum(parameter => parameter.Shape.Count) + 20_000));
        var encoder = (await registry.ReadFileAsync(manifest, "encoder.onnx")).ToArray();
        using var session = new Microsoft.ML.OnnxRuntime.InferenceSession(encoder);
        using var answer = session.Run([Microsoft.ML.OnnxRuntime.NamedOnnxValue.CreateFromTensor("pixels",
            new Microsoft.ML.OnnxRuntime.Tensors.DenseTensor<byte>(TinyTraining.Data.Test.Pixels(0).ToArray(), [1, 8, 8, 1]))]);
        Assert.All(answer[0].AsEnumerable<float>(), value => Assert.True(float.IsFinite(value)));
    }
}
