using VaeFunctions.Cpu;
using VaeFunctions.Evaluation;
using VaeFunctions.Models;
using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Evaluation;

public class ModelPicturesTests
{
    static readonly Vae model = new VqVaeOptions
    {
        Image = new(8, 8, 1),
        Channels = [4, 4],
        Codes = 8,
        Depth = 2,
        PriorChannels = 4,
        PriorBlocks = 1,
        Likelihood = new GaussianOptions(),
    }.Build(new CpuBackend(), seed: 3);

    /// <summary>256 of these are drawn at once.</summary>
    [Fact]
    public void Images_drawn_code_by_code_are_the_same_however_many_are_drawn_at_once()
    {
        const int many = 300;
        var images = ModelPictures.Draw(model, many, labels: null, seed: 1);
        var quantised = (IAutoregressive)model;
        var backend = model.Parameters.Backend;
        var codes = Autoregression.Sample(many, quantised.Places,
            so => quantised.Logits(backend.FromValues(so, new(many, quantised.Places))).ToArray(), seed: 1);
        var pixels = model.DecodePixels(quantised.Latent(backend.FromValues(codes, new(many, quantised.Places))), null).ToArray();
        Assert.Equal(pixels, images.SelectMany(image => image.Pixels, (_, pixel) => (float)pixel));
        Assert.True(codes.Distinct().Count() > 1);
    }

    [Fact]
    public void Drawing_heeds_a_wish_to_stop_within_an_image_of_many_codes()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.Throws<OperationCanceledException>(() =>
            ModelPictures.Draw(model, 4, labels: null, seed: 1, cancellation: stop.Token));
    }
}
