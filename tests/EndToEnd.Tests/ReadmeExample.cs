using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests;

/// <summary>The README's C#, line by line; <see cref="ReadmeTests"/> compares and runs it.</summary>
static class ReadmeExample
{
    public static async Task RunAsync()
    {
        // README: begin
        var registry = new ModelRegistry(new FolderBlobStore("runs"));
        var version = (await registry.ReadCurrentAsync("faces-vae"))!.Version;
        var manifest = await registry.ReadManifestAsync("faces-vae", version);
        using var decoder = new InferenceSession((await registry.ReadFileAsync(manifest, "decoder.onnx")).ToArray());

        var latents = new RandomStream(seed: 1, "sample").Gaussians(16 * manifest.LatentSize);
        var noise = new DenseTensor<float>(latents, [16, manifest.LatentSize]);
        using var answer = decoder.Run([NamedOnnxValue.CreateFromTensor("latent", noise)]);
        var pixels = answer[0].AsTensor<byte>().ToArray().Chunk(manifest.Image.Size);
        var faces = pixels.Select(bytes => new Image(manifest.Image, bytes));
        File.WriteAllBytes("faces.png", ImageCodec.EncodePng(ImageGrid.Compose([.. faces], columns: 4)));
        // README: end
    }
}
