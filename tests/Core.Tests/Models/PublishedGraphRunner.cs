using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using VaeFunctions.Models;

namespace VaeFunctions.Tests.Models;

/// <summary>Runs both published graphs one after the other, pixels to mean to pixels, in two independent runtimes.</summary>
static class PublishedGraphRunner
{
    const string NodeScript = """
        const ort = require("onnxruntime-node"), fs = require("fs");
        const [encoder, decoder, job] = process.argv.slice(1);
        (async () => {
          const { pixels, shape, latent, labels } = JSON.parse(fs.readFileSync(job));
          const label = labels ? { label: new ort.Tensor("int64", BigInt64Array.from(labels, BigInt), [shape[0]]) } : {};
          const encode = await ort.InferenceSession.create(encoder), decode = await ort.InferenceSession.create(decoder);
          const { mean } = await encode.run({ pixels: new ort.Tensor("uint8", Uint8Array.from(pixels), shape), ...label });
          const images = await decode.run({ latent: new ort.Tensor("float32", mean.data, [shape[0], latent]), ...label });
          console.log(JSON.stringify({ mean: [...mean.data], pixels: [...images.pixels.data] }));
        })();
        """;

    /// <summary>ONNX Runtime's C# binding.</summary>
    public static (float[] Mean, float[] Pixels) Run(Vae model, float[] pixels, int count)
    {
        using var encoder = new InferenceSession(PublishedGraphs.Encoder(model).ToArray());
        using var decoder = new InferenceSession(PublishedGraphs.Decoder(model).ToArray());
        using var options = new RunOptions();
        using var input =
            OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(pixels, value => (byte)value), Axes(model, count));
        using var label = Labels(model, count) is { } labels ? OrtValue.CreateTensorValueFromMemory(labels, [count]) : null;
        using var encoded = encoder.Run(options, Names("pixels"), Values(input), ["mean"]);
        var mean = encoded[0].GetTensorDataAsSpan<float>().ToArray();
        using var latent = OrtValue.CreateTensorValueFromMemory(mean, [count, model.LatentSize]);
        using var decoded = decoder.Run(options, Names("latent"), Values(latent), ["pixels"]);
        return (mean, Array.ConvertAll(decoded[0].GetTensorDataAsSpan<byte>().ToArray(), value => (float)value));

        string[] Names(string name) => label is null ? [name] : [name, "label"];

        OrtValue[] Values(OrtValue value) => label is null ? [value] : [value, label];
    }

    /// <summary>onnxruntime-node, another build of another version.</summary>
    public static (float[] Mean, float[] Pixels) RunInNode(Vae model, float[] pixels, int count)
    {
        var project = ExternalProgram.NodeFolderWith("onnxruntime-node");
        var folder = Directory.CreateTempSubdirectory("node-").FullName;
        try
        {
            string encoder = Path.Combine(folder, "encoder.onnx"), decoder = Path.Combine(folder, "decoder.onnx");
            var job = Path.Combine(folder, "job.json");
            File.WriteAllBytes(encoder, PublishedGraphs.Encoder(model).ToMemory().Span);
            File.WriteAllBytes(decoder, PublishedGraphs.Decoder(model).ToMemory().Span);
            File.WriteAllText(job, JsonSerializer.Serialize(
                new { pixels, shape = Axes(model, count), latent = model.LatentSize, labels = Labels(model, count) }));
            var script = $"process.chdir({JsonSerializer.Serialize(project)}); "
                + $"module.paths.push({JsonSerializer.Serialize(Path.Combine(project, "node_modules"))});\n{NodeScript}";
            var (exitCode, output, errors) = ExternalProgram.Run("node", "-e", script, encoder, decoder, job)!.Value;
            Assert.True(exitCode == 0, errors);
            var result = JsonSerializer.Deserialize<Result>(output, JsonSerializerOptions.Web)!;
            return (result.Mean, result.Pixels);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static long[]? Labels(Vae model, int count) =>
        model.Classes == 0 ? null : Array.ConvertAll(ModelSuite.Labels(model, count), label => (long)label);

    static long[] Axes(Vae model, int count) => [count, model.Image.Height, model.Image.Width, model.Image.Channels];

    sealed record Result(float[] Mean, float[] Pixels);
}
