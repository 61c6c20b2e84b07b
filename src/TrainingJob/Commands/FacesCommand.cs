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
        var command = new Command("faces", "Write some of the built-in faces as PNG files") { count, seed, to };
        command.SetAction(async (parsed, cancellation) =>
        {
            var folder = parsed.GetRequiredValue(to);
            Directory.CreateDirectory(folder);
            int wanted = parsed.GetValue(count), drawn = Math.Max(wanted, 8); // the source draws no fewer
            var faces = (await DataSources.LoadAsync($"faces:{drawn}", new() { Seed = parsed.GetValue(seed) }, cancellation))
                .Train;
            for (var i = 0; i < wanted; i++)
            {
                var path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"face-{i:0000}.png"));
                await File.WriteAllBytesAsync(path, ImageCodec.EncodePng(faces.Image(i)), cancellation);
            }
            Console.WriteLine($"wrote {wanted} faces to {Path.GetFullPath(folder)}");
            return 0;
        });
        return command;
    }
}
