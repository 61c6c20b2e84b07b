using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using VaeFunctions.Cpu;
using VaeFunctions.Features;
using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Features;

public class ResNet18Tests
{
    const int Size = 224;

    /// <summary>Coloured waves: smooth like a photograph, and different in every channel.</summary>
    internal static float[] Shades(int images, int channels, int height, int width) =>
    [
        .. from n in Enumerable.Range(0, images)
           from c in Enumerable.Range(0, channels)
           from y in Enumerable.Range(0, height)
           from x in Enumerable.Range(0, width)
           select (float)(128 + 100 * Math.Sin((c + 1) * y * 7.0 / height + n) * Math.Cos((n + 2) * x * 5.0 / width + c)),
    ];

    [Fact]
    public void Its_pooled_features_are_those_of_the_file_run_by_ONNX_Runtime()
    {
        var shades = Shades(1, 3, Size, Size);
        using var session = new InferenceSession(ResNet18.DefaultFile);
        var input = new DenseTensor<float>(BlueFirst(shades).ToArray(), [1, 3, Size, Size]);
        using var answer = session.Run([NamedOnnxValue.CreateFromTensor(session.InputNames[0], input)]);
        var expected = answer[0].AsEnumerable<float>().ToArray();

        var backend = new CpuBackend();
        var actual = ResNet18.On(backend).Pooled(backend.FromValues(shades, new(1, 3, Size, Size)));

        Assert.Equal([1, ResNet18.PooledSize], actual.Shape.Axes);
        Assert.True(expected.Max() > 0.5); // it sees something
        Assert.All(expected.Zip(actual.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-4f * expected.Max()));

        static IEnumerable<float> BlueFirst(float[] shades) => shades.Chunk(Size * Size)
            .SelectMany((plane, channel) => plane.Select(value => value - ResNet18.Mean[channel])).Chunk(Size * Size).Reverse()
            .SelectMany(plane => plane);
    }

    [Theory]
    [InlineData(64, 64)]
    [InlineData(32, 32)]
    [InlineData(28, 45)]
    [InlineData(8, 8)]
    public void Images_of_any_size_have_features(int height, int width)
    {
        var backend = new CpuBackend();
        var features = ResNet18.On(backend).Features(backend.FromValues(Shades(2, 3, height, width), new(2, 3, height, width)));
        Assert.Equal([64, 64, 128, 256], features.Select(stage => stage.Shape[1]));
        Assert.Equal((height + 1) / 2, features[0].Shape[2]);
        Assert.All(features, stage => Assert.All(stage.ToArray(), value => Assert.True(value >= 0 && float.IsFinite(value))));
    }

    [Fact]
    public void A_grey_image_has_the_features_of_three_equal_channels()
    {
        var backend = new CpuBackend();
        var grey = Shades(1, 1, 32, 32);
        var network = ResNet18.On(backend);
        Assert.Equal(
            network.Pooled(backend.FromValues([.. grey, .. grey, .. grey], new(1, 3, 32, 32))).ToArray(),
            network.Pooled(backend.FromValues(grey, new(1, 1, 32, 32))).ToArray());
    }

    [Fact]
    public void A_file_that_is_missing_or_broken_is_named_with_what_to_do()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "ResNet18.onnx");
        Refused();
        File.WriteAllBytes(file, [1, 2, 3, 4, 5]);
        Refused();
        File.WriteAllBytes(file, File.ReadAllBytes(ResNet18.DefaultFile)[..30_000_000]);
        Refused();

        void Refused()
        {
            var error = Assert.Throws<FeatureException>(() => ResNet18.Read(new CpuBackend(), file));
            Assert.Contains(file, error.Message);
            Assert.Contains("objective.perceptual", error.Message);
        }
    }
}
