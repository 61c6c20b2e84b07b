using System.Text.Json;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests.Registry;

public sealed class ManifestTests
{
    const string Path = "models/faces/20260102T030405Z/manifest.json";

    internal static Manifest Example(
        string model = "faces", string version = "20260102T030405Z", double loss = 100, string fingerprint = "fp-1") => new()
        {
            Model = model,
            Version = version,
            Kind = "conv-vae",
            Created = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
            Image = new ImageShape(32, 32, 3),
            LatentSize = 16,
            Loss = "squared error + KL",
            Labels = ["no", "yes"],
            Metrics = new Dictionary<string, double> { [Manifest.TestLoss] = loss },
            Recipe = JsonElement.Parse("""{"learningRate":0.001,"layers":[1,2]}"""),
            Data = new DataDescription("faces", fingerprint, 900, 100),
            Engine = new Dictionary<string, string> { ["cpu"] = "1.0" },
        };

    [Fact]
    public void A_manifest_survives_being_written_and_read()
    {
        var manifest = Example(loss: double.NaN) with
        {
            Promotion = new Promotion(true, false, "First.", null, double.NaN, null, 0.01),
            Anomaly = new AnomalyCalibration(new Dictionary<string, double> { ["0.99"] = 1.5 }),
            Files = [new ManifestFile("encoder.onnx", 3, new string('a', 64))],
        };
        var json = ManifestJson.Write(manifest);
        var read = ManifestJson.ReadManifest(json, Path);

        Assert.Equal(json.ToString(), ManifestJson.Write(read).ToString());
        Assert.Equal(manifest.Image, read.Image);
        Assert.Equal(manifest.Files, read.Files);
        Assert.True(double.IsNaN(read.Metrics[Manifest.TestLoss]));
        Assert.Contains("\"latentSize\": 16", json.ToString(), StringComparison.Ordinal);
        Assert.Contains("\"channels\": 3\n", json.ToString(), StringComparison.Ordinal); // and not the derived size
    }

    [Fact]
    public void Optional_keys_may_be_left_out()
    {
        var read = ManifestJson.ReadManifest(BinaryData.FromString("""
            { "format": 1, "model": "m", "version": "v1", "kind": "vae", "created": "2026-01-02T03:04:05Z",
              "image": { "height": 1, "width": 2, "channels": 3 },
              "latentSize": 4, "loss": "x", "recipe": {}, "data": { "source": "s", "fingerprint": "f", "train": 1, "test": 1 } }
            """), Path);

        Assert.Empty(read.Files);
        Assert.Empty(read.Metrics);
        Assert.Empty(read.Labels);
        Assert.Null(read.Promotion);
    }

    [Theory]
    [InlineData("\"format\": 1", "\"format\": 2", "format 2 was found, but this build reads format 1")]
    [InlineData("\"format\": 1,", "", "\"format\"")]
    [InlineData("\"kind\"", "\"kinds\"", "kinds")]
    [InlineData("\"kind\": \"conv-vae\",", "", "kind")]
    [InlineData("\"kind\": \"conv-vae\"", "\"kind\": null", "kind")]
    [InlineData("\"kind\": \"conv-vae\"", "\"kind\": \"a\", \"kind\": \"b\"", "kind")]
    [InlineData("\"height\": 32", "\"height\": -1", "image")]
    [InlineData("\"height\": 32", "\"height\": 2000000000", "image")]
    [InlineData("\"latentSize\": 16", "\"latentSize\": 0", "latentSize")]
    [InlineData("\"encoder.onnx\"", "\"../encoder.onnx\"", "no slash")]
    [InlineData("\"encoder.onnx\"", "\"manifest.json\"", "manifest.json")]
    [InlineData("aaaa\"", "AAAA\"", "hexadecimal")]
    [InlineData("\"faces\",\n  \"version\"", "\"../x\",\n  \"version\"", "model")]
    [InlineData("{", "[", "JSON")]
    public void What_cannot_be_is_refused_by_name(string found, string replacement, string expected)
    {
        var json = ManifestJson.Write(Example() with { Files = [new ManifestFile("encoder.onnx", 3, new string('a', 64))] })
            .ToString();
        Assert.Contains(found, json, StringComparison.Ordinal);

        var error = Assert.Throws<ModelFormatException>(
            () => ManifestJson.ReadManifest(BinaryData.FromString(Replace(json, found, replacement)), Path));
        Assert.StartsWith(Path, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.OrdinalIgnoreCase);
    }

    static string Replace(string text, string found, string replacement)
    {
        var at = text.IndexOf(found, StringComparison.Ordinal);
        return text[..at] + replacement + text[(at + found.Length)..];
    }
}
