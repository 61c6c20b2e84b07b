using System.Text.Json;
using VaeFunctions.Imaging;
using VaeFunctions.Latent;
using VaeFunctions.Onnx;
using VaeFunctions.Registry;
using VaeFunctions.Tensors;

namespace VaeFunctions.Tests;

/// <summary>The smallest model with the published form: 8×8 RGB, four latents that are the mean brightness of four bands of
/// rows.</summary>
/// <remarks>mean = band average − ½ and decoding adds ½ back, so a picture of flat bands comes back as it was, plus
/// <c>shift</c>.</remarks>
static class TinyModel
{
    public const int Latents = 4;

    public static readonly ImageShape Shape = new(8, 8, 3);

    static int BandOf(int pixel) => pixel / (Shape.Size / Latents);

    public static byte[] Encoder() => Encoder(mean => mean * 0f - 2f);

    /// <summary>An encoder whose log variance is e^(1000 · brightness): finite for black, beyond all numbers for white.</summary>
    public static byte[] OverflowingEncoder() => Encoder(mean => ((mean + 0.5f) * 1000f).Exp());

    static byte[] Encoder(Func<Tensor, Tensor> logVariance)
    {
        var graph = new OnnxGraph("encoder");
        var pixels = graph.Input("pixels", OnnxType.UInt8, new Shape(VaeFunctions.Tensors.Shape.Dynamic, 8, 8, 3)) / 255f;
        var average = new float[Shape.Size * Latents];
        for (var i = 0; i < Shape.Size; i++)
            average[i * Latents + BandOf(i)] = (float)Latents / Shape.Size;
        var mean = pixels.Flatten().MatMul(graph.Backend.FromValues(average, new Shape(Shape.Size, Latents))) - 0.5f;
        graph.Output("mean", mean);
        graph.Output("log_variance", logVariance(mean));
        return graph.ToBytes();
    }

    public static byte[] Decoder(float shift = 0)
    {
        var graph = new OnnxGraph("decoder");
        var latent = graph.Input("latent", OnnxType.Float, new Shape(VaeFunctions.Tensors.Shape.Dynamic, Latents));
        var spread = new float[Latents * Shape.Size];
        for (var i = 0; i < Shape.Size; i++)
            spread[BandOf(i) * Shape.Size + i] = 1;
        var pixels = latent.MatMul(graph.Backend.FromValues(spread, new Shape(Latents, Shape.Size))) + (0.5f + shift);
        graph.Output("pixels", (pixels * 255f).Clip(0, 255).Round().Reshape(0, 8, 8, 3), OnnxType.UInt8);
        return graph.ToBytes();
    }

    /// <summary>The same for labels "plain" and "bright": a latent of 0 is mid-grey for the one and white for the other, both
    /// ways.</summary>
    public static (byte[] Encoder, byte[] Decoder) Conditional()
    {
        var encoder = new OnnxGraph("encoder");
        var pixels = encoder.Input("pixels", OnnxType.UInt8, new Shape(VaeFunctions.Tensors.Shape.Dynamic, 8, 8, 3)) / 255f;
        var label = encoder.Input("label", OnnxType.Int64, new Shape(VaeFunctions.Tensors.Shape.Dynamic)).OneHot(2);
        var average = new float[Shape.Size * Latents];
        for (var i = 0; i < Shape.Size; i++)
            average[i * Latents + BandOf(i)] = (float)Latents / Shape.Size;
        var mean = pixels.Flatten().MatMul(encoder.Backend.FromValues(average, new Shape(Shape.Size, Latents))) - 0.5f
            - label.MatMul(encoder.Backend.FromValues([0, 0, 0, 0, 0.5f, 0.5f, 0.5f, 0.5f], new Shape(2, Latents)));
        encoder.Output("mean", mean);
        encoder.Output("log_variance", mean * 0f - 2f);

        var decoder = new OnnxGraph("decoder");
        var latent = decoder.Input("latent", OnnxType.Float, new Shape(VaeFunctions.Tensors.Shape.Dynamic, Latents));
        var shown = decoder.Input("label", OnnxType.Int64, new Shape(VaeFunctions.Tensors.Shape.Dynamic)).OneHot(2);
        var spread = new float[Latents * Shape.Size];
        for (var i = 0; i < Shape.Size; i++)
            spread[BandOf(i) * Shape.Size + i] = 1;
        var shifted = latent
            + shown.MatMul(decoder.Backend.FromValues([0, 0, 0, 0, 0.5f, 0.5f, 0.5f, 0.5f], new Shape(2, Latents)));
        var picture = shifted.MatMul(decoder.Backend.FromValues(spread, new Shape(Latents, Shape.Size))) + 0.5f;
        decoder.Output("pixels", (picture * 255f).Clip(0, 255).Round().Reshape(0, 8, 8, 3), OnnxType.UInt8);
        return (encoder.ToBytes(), decoder.ToBytes());
    }

    /// <summary>Publishes a version without making it serve.</summary>
    public static Task<Manifest> PublishAsync(ModelRegistry registry, string model, string version, byte[]? encoder = null,
        byte[]? decoder = null,
        Func<Manifest, Manifest>? change = null, IReadOnlyList<Concept>? concepts = null)
    {
        var manifest = new Manifest
        {
            Model = model,
            Version = version,
            Kind = "tiny",
            Created = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
            Image = Shape,
            LatentSize = Latents,
            Loss = "none",
            Recipe = JsonDocument.Parse("{}").RootElement,
            Data = new DataDescription("none", "none", 0, 0),
            Concepts = [.. (concepts ?? []).Select(concept => new ConceptDescription(concept.Name, concept.Separability))],
        };
        var files = new Dictionary<string, BinaryData>
        {
            ["encoder.onnx"] = new(encoder
            ?? Encoder()),
            ["decoder.onnx"] = new(decoder ?? Decoder())
        };
        if (concepts is not null)
            files[ConceptFile.Name] = ConceptFile.Write(concepts);
        return registry.PublishAsync(change?.Invoke(manifest) ?? manifest, files);
    }

    /// <summary>Publishes a version and lets it serve.</summary>
    public static async Task ServeAsync(ModelRegistry registry, string model, string version, byte[]? encoder = null,
        byte[]? decoder = null,
        Func<Manifest, Manifest>? change = null, IReadOnlyList<Concept>? concepts = null)
    {
        await PublishAsync(registry, model, version, encoder, decoder, change, concepts);
        await registry.PromoteAsync(model, version, "test", await registry.ReadCurrentAsync(model));
    }
}
