using System.Text.Json;
using System.Text.Json.Serialization;
using VaeFunctions.Cpu;
using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;

namespace VaeFunctions.Models;

/// <summary>The form of a density as data: what prior.safetensors says in its metadata.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(GaussianMixtureOptions), "mixture")]
[JsonDerivedType(typeof(CouplingFlowOptions), "flow")]
public abstract record LatentDensityOptions
{
    /// <summary>The length of the latent vector.</summary>
    public required int Latent { get; init; }

    /// <summary>Builds the density, which nothing has been fitted to yet.</summary>
    public LatentDensity Build(ITrainingBackend backend, ulong seed = 0) => Build(new ParameterSet(backend, seed));

    /// <inheritdoc cref="Build(ITrainingBackend, ulong)"/>
    public LatentDensity Build(ulong seed = 0) => Build(new CpuBackend(), seed);

    public string ToJson() => JsonSerializer.Serialize(this, JsonSerializerOptions.Web);

    /// <exception cref="JsonException">It is no such form.</exception>
    public static LatentDensityOptions Parse(string json) =>
        JsonSerializer.Deserialize<LatentDensityOptions>(json, JsonSerializerOptions.Web)
        ?? throw new JsonException("It is null.");

    private protected abstract LatentDensity Build(ParameterSet parameters);
}

/// <summary>A density of latent vectors that was fitted to the codes of training images: it takes the place of N(0, I) where the
/// codes, taken together, are not distributed so. (Tomczak and Welling 2018; Ghosh et al. 2020, §4)</summary>
/// <remarks>N = vectors, L = latent size.</remarks>
public abstract class LatentDensity(ParameterSet parameters, LatentDensityOptions options)
{
    public ParameterSet Parameters { get; } = parameters;

    public LatentDensityOptions Options { get; } = options;

    public int LatentSize { get; } = options.Latent;

    /// <summary>What prior.onnx computes: noise to latent vectors, [N, L] → [N, L].</summary>
    /// <param name="noise">[N, L], standard normal; scaled by a temperature below 1, vectors come nearer to what is
    /// likely.</param>
    /// <param name="choice">[N], uniform in [0, 1): chooses among the parts that a density has.</param>
    public abstract Tensor Draw(Tensor noise, Tensor choice);

    /// <summary>What density.onnx computes: log p(latent) in nats, [N, L] → [N].</summary>
    public abstract Tensor LogDensity(Tensor latent);

    /// <summary>Takes numbers that were fitted.</summary>
    private protected static void Set(Parameter parameter, IEnumerable<double> values)
    {
        var backend = (ITrainingBackend)parameter.Value.Backend;
        backend.Assign(parameter.Value, backend.FromValues([.. values.Select(value => (float)value)], parameter.Shape));
    }
}
