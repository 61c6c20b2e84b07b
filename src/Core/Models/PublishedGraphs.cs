using VaeFunctions.Onnx;
using VaeFunctions.Tensors;

namespace VaeFunctions.Models;

/// <summary>The graphs that any ONNX runtime can serve without pre- or post-processing: they take and give pixels.</summary>
public static class PublishedGraphs
{
    /// <summary><c>pixels</c> uint8 [N, H, W, C] (and <c>label</c> int64 [N] for conditional models) → <c>mean</c>,
    /// <c>log_variance</c> float [N, L]; from a codebook also <c>codes</c> int64 [N, P].</summary>
    public static BinaryData Encoder(Vae model, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var graph = NewGraph("encoder", metadata);
        var pixels = graph.Input(
            "pixels", OnnxType.UInt8, new(Shape.Dynamic, model.Image.Height, model.Image.Width, model.Image.Channels));
        var posterior = model.EncodePixels(pixels, Label(graph, model));
        graph.Output("mean", posterior.Mean);
        graph.Output("log_variance", posterior.LogVariance);
        if (model is IAutoregressive quantised) graph.Output("codes", quantised.CodesOf(posterior.Mean), OnnxType.Int64);
        return new(graph.ToBytes());
    }

    /// <summary><c>latent</c> float [N, L] (and <c>label</c>) → <c>pixels</c> uint8 [N, H, W, C].</summary>
    public static BinaryData Decoder(Vae model, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var graph = NewGraph("decoder", metadata);
        var latent = graph.Input("latent", OnnxType.Float, new(Shape.Dynamic, model.LatentSize));
        graph.Output("pixels", model.DecodePixels(latent, Label(graph, model)), OnnxType.UInt8);
        return new(graph.ToBytes());
    }

    /// <summary><c>codes</c> int64 [N, P] → <c>logits</c> float [N, P, K], each place's from the places before it only, and
    /// <c>latent</c> float [N, L].</summary>
    public static BinaryData Prior(IAutoregressive model, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var graph = NewGraph("prior", metadata);
        var codes = graph.Input("codes", OnnxType.Int64, new(Shape.Dynamic, model.Places));
        graph.Output("logits", model.Logits(codes));
        graph.Output("latent", model.Latent(codes));
        return new(graph.ToBytes());
    }

    /// <summary>What a fitted density draws: <c>noise</c> float [N, L], standard normal, and <c>choice</c> float [N], uniform in
    /// [0, 1) → <c>latent</c> float [N, L].</summary>
    public static BinaryData Prior(LatentDensity density, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var graph = NewGraph("prior", metadata);
        var noise = graph.Input("noise", OnnxType.Float, new(Shape.Dynamic, density.LatentSize));
        var choice = graph.Input("choice", OnnxType.Float, new(Shape.Dynamic));
        graph.Output("latent", density.Draw(noise, choice));
        return new(graph.ToBytes());
    }

    /// <summary>How likely codes are: <c>latent</c> float [N, L] → <c>log_density</c> float [N], in nats.</summary>
    public static BinaryData Density(LatentDensity density, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var graph = NewGraph("density", metadata);
        var latent = graph.Input("latent", OnnxType.Float, new(Shape.Dynamic, density.LatentSize));
        graph.Output("log_density", density.LogDensity(latent));
        return new(graph.ToBytes());
    }

    /// <summary>The same of a prior of codes: Σ over places of log p(code), of the codes that the latent stands for.</summary>
    public static BinaryData Density(IAutoregressive model, int latentSize, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var graph = NewGraph("density", metadata);
        var codes = model.CodesOf(graph.Input("latent", OnnxType.Float, new(Shape.Dynamic, latentSize)));
        graph.Output("log_density", Autoregression.LogProbability(model, codes));
        return new(graph.ToBytes());
    }

    static Tensor? Label(OnnxGraph graph, Vae model) =>
        model.Classes == 0 ? null : graph.Input("label", OnnxType.Int64, new(Shape.Dynamic));

    static OnnxGraph NewGraph(string name, IReadOnlyDictionary<string, string>? metadata)
    {
        var graph = new OnnxGraph(name);
        foreach (var (key, value) in metadata ?? new Dictionary<string, string>()) graph.Metadata[key] = value;
        return graph;
    }
}
