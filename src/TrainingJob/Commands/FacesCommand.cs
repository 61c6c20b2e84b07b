using System.CommandLine;
using System.Globalization;
using VaeFunctions.Data;
using VaeFunctions.Imaging;

namespace VaeFunctions.Commands;

/// <summary><c>faces --out DIR</c>: some of the built-in faces as PNG files, to try things with.</summary>
static class FacesCommand
{
    public static Command Create()
    {
        var count = CommonOptions.Count("--count", 48, 100_000, "How many");
        Option<ulong> seed = new("--seed") { Description = "Another seed, other faces", DefaultValueFactory = _ => 2 };
        Option<string> to = new("--out") { Description = "The folder to write to", DefaultValueFactory = _ => "faces" };
        var command = new Command("faces", "Write some of the built-in faces as PNG files, with a table of their attributes")
        {
            count, seed, to,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var folder = parsed.GetRequiredValue(to);
            Directory.CreateDirectory(folder);
            int wanted = parsed.GetValue(count), drawn = Math.Max(wanted, 8); // the source draws no fewer
            var faces = (await DataSources.LoadAsync($"faces:{drawn}", new() { Seed = parsed.GetValue(seed) }, cancellation))
                .Train;
            for (var i = 0; i < wanted; i++)
            {
                var file = Path.Combine(folder, NameOf(i));
                await File.WriteAllBytesAsync(file, ImageCodec.EncodePng(faces.Image(i)), cancellation);
            }
            await File.WriteAllLinesAsync(Path.Combine(folder, AttributeTable.FileName), Table(faces, wanted), cancellation);
            Console.WriteLine($"wrote {wanted} faces, and {AttributeTable.FileName} about them, to {Path.GetFullPath(folder)}");
            return 0;
        });
        return command;
    }

    static string NameOf(int face) => string.Create(CultureInfo.InvariantCulture, $"face-{face:0000}.png");

    /// <summary>A line for each face with its attributes, as folders of images have them.</summary>
    static IEnumerable<string> Table(ImageDataset faces, int count) =>
    [
        $"file,{string.Join(',', faces.AttributeNames)}",
        .. Enumerable.Range(0, count).Select(i => $"{NameOf(i)},{string.Join(',', Enumerable.Range(0, faces.AttributeNames.Count)
            .Select(a => faces.Attributes![i, a].ToString("0.###", CultureInfo.InvariantCulture)))}"),
    ];
}
