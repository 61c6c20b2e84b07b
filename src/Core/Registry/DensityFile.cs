using System.Text.Json;
using VaeFunctions.Models;
using VaeFunctions.Tensors;

namespace VaeFunctions.Registry;

/// <summary>A fitted density as safetensors, its form in the metadata, so that a training job can draw from it again.</summary>
public static class DensityFile
{
    public const string Name = "prior.safetensors";

    const string Form = "density";

    public static BinaryData Write(LatentDensity density) => Safetensors.Write(
        ParameterFile.ToTensors(density.Parameters), new Dictionary<string, string> { [Form] = density.Options.ToJson() });

    /// <exception cref="CheckpointException">It is no density, or of another latent size.</exception>
    public static LatentDensity Read(BinaryData content, int latentSize, ITrainingBackend backend)
    {
        var file = Safetensors.Read(content);
        try
        {
            var options = LatentDensityOptions.Parse(file.Metadata.GetValueOrDefault(Form) ?? "null");
            if (options.Latent != latentSize)
                throw new CheckpointException($"{Name} is of {options.Latent} latents; the model has {latentSize}.");
            var density = options.Build(backend);
            ParameterFile.Load(file, density.Parameters, backend);
            return density;
        }
        catch (Exception fault) when (fault is JsonException or NotSupportedException or ModelOptionsException)
        {
            throw new CheckpointException($"{Name} is no density that this build knows: {fault.Message}", fault);
        }
    }
}
