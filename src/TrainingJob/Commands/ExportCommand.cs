using System.CommandLine;
using VaeFunctions.Models;
using VaeFunctions.Registry;
using VaeFunctions.Training;

namespace VaeFunctions.Commands;

/// <summary><c>export RECIPE --weights FILE</c>: ONNX graphs from any weights of that architecture, PyTorch's included.</summary>
static class ExportCommand
{
    static readonly long MaxBytes = Array.MaxLength;

    public static Command Create()
    {
        var recipe = new Argument<string>("recipe") { Description = "The recipe whose architecture the weights have" };
        var weights = new Option<string>("--weights")
        {
            Description = "A safetensors file: weights.safetensors of a version, or a PyTorch state_dict",
            Required = true,
        };
        var to = new Option<string>("--to")
        {
            Description = "The folder to write encoder.onnx and decoder.onnx to",
            DefaultValueFactory = _ => ".",
        };
        var command = new Command("export", "Write ONNX graphs from weights") { recipe, weights, to };
        command.SetAction((parsed, cancellation) => RunAsync(parsed.GetRequiredValue(recipe), parsed.GetRequiredValue(weights),
            parsed.GetRequiredValue(to), cancellation));
        return command;
    }

    static async Task<int> RunAsync(string recipeName, string weights, string to, CancellationToken cancellation)
    {
        var (_, recipe) = RecipeBook.Load(recipeName);
        var file = new FileInfo(weights);
        if (!file.Exists) throw new CheckpointException($"There is no file {weights}.");
        if (file.Length > MaxBytes)
            throw new CheckpointException($"{weights} has {file.Length} bytes; weights of at most {MaxBytes} are read.");
        var model = recipe.Model.Build(recipe.Seed);
        ParameterFile.Load(Safetensors.Read(new(await File.ReadAllBytesAsync(weights, cancellation))), model.Parameters,
            model.Parameters.Backend);
        Directory.CreateDirectory(to);
        await File.WriteAllBytesAsync(Path.Combine(to, "encoder.onnx"), PublishedGraphs.Encoder(model).ToMemory(), cancellation);
        await File.WriteAllBytesAsync(Path.Combine(to, "decoder.onnx"), PublishedGraphs.Decoder(model).ToMemory(), cancellation);
        if (model is IAutoregressive quantised)
            await File.WriteAllBytesAsync(Path.Combine(to, "prior.onnx"), PublishedGraphs.Prior(quantised)
                .ToMemory(), cancellation);
        Console.WriteLine($"wrote encoder.onnx, decoder.onnx{(model is IAutoregressive ? ", prior.onnx" : "")} to "
            + $"{Path.GetFullPath(to)}");
        return 0;
    }
}
