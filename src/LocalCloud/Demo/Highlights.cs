using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.LocalCloud;

/// <summary>An image with and without something strange, and what the functions say of it.</summary>
/// <param name="Overlay">Where it is strange: a file.</param>
sealed record Finding(string File, string Overlay, string Verdict, double? Percentile);

/// <summary>What is remarkable about a latent space, as files of the gallery. What the model knows no concept for is
/// empty.</summary>
/// <param name="Glasses">Strips of the same face as it is, without glasses, and with them.</param>
/// <param name="Smiles">Strips of the same face from sad to happy.</param>
/// <param name="Journey">An animation.</param>
/// <param name="Map">Training images, laid out so that neighbours look alike.</param>
/// <param name="Findings">An ordinary face, and the same with something on it.</param>
sealed record Highlights(
    IReadOnlyList<string> Glasses, IReadOnlyList<string> Smiles, string Journey, string Map, IReadOnlyList<Finding> Findings);

/// <summary>Asks the functions for what is remarkable.</summary>
sealed class HighlightsMaker(
    Manifest manifest, FunctionsClient functions, Func<string, byte[], Task<string>> write, CancellationToken cancellation)
{
    const int Faces = 4, JourneySteps = 12;

    static readonly int[] journey = [3, 11, 8, 20, 5];

    /// <param name="bare">Those of the faces that wear no glasses.</param>
    public async Task<Highlights> MakeAsync(
        IReadOnlyList<DropItem> faces, IReadOnlyList<DropItem> bare, ModelRegistry registry) => new(
        await StripsAsync(bare, "glasses", [0, 1]),
        await StripsAsync(faces, "smile", [-1.5, -1, -0.5, 0, 0.5, 1, 1.5]),
        await KeepAsync("journey.png", await functions.TravelAsync(journey, JourneySteps, cancellation)),
        await KeepAsync("map.png", await MapPicture.DrawAsync(manifest, registry, functions, cancellation)),
        [
            await JudgeAsync("ordinary.png", await ReadAsync(faces[0])),
            await JudgeAsync("strange.png", Stained(await ReadAsync(faces[0]))),
        ]);

    /// <summary>The same faces with a concept at several strengths.</summary>
    async Task<List<string>> StripsAsync(IReadOnlyList<DropItem> faces, string concept, double[] strengths)
    {
        var files = new List<string>();
        if (manifest.Concepts.All(known => known.Name != concept)) return files;
        foreach (var (i, face) in faces.Take(Faces).Index())
            files.Add(await KeepAsync($"{concept}-{i + 1}.png", await functions.EditAsync(
                await ReadAsync(face), concept, strengths, cancellation)));
        return files;
    }

    async Task<Finding> JudgeAsync(string name, byte[] png)
    {
        var judged = await functions.JudgeAsync(png, cancellation);
        return new(
            await KeepAsync(name, png), await KeepAsync($"where-{name}", judged.Overlay), judged.Verdict, judged.Percentile);
    }

    /// <summary>A face with a stain on its cheek, such as no training image has.</summary>
    static byte[] Stained(byte[] png)
    {
        var face = ImageCodec.Decode(png);
        var pixels = face.Pixels.ToArray();
        for (var y = face.Height / 2; y < face.Height * 3 / 4; y++)
            for (var x = face.Width / 2; x < face.Width * 3 / 4; x++)
                for (var c = 0; c < face.Channels; c++)
                    pixels[(y * face.Width + x) * face.Channels + c] = (byte)(c == 1 ? 230 : 20);
        return ImageCodec.EncodePng(new Image(face.Shape, pixels));
    }

    Task<byte[]> ReadAsync(DropItem face) => File.ReadAllBytesAsync(face.File, cancellation);

    async Task<string> KeepAsync(string name, byte[] content)
    {
        await write(name, content);
        return name;
    }
}
