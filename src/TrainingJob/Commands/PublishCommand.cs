using System.CommandLine;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;

namespace VaeFunctions.Commands;

/// <summary><c>publish MODEL --from DIR --to blob</c>: takes a version from one place to another, through the gate.</summary>
static class PublishCommand
{
    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "A published model" };
        Option<string?> version = new("--version") { Description = "A version; the serving one unless given" };
        var from = CommonOptions.Store("--from");
        var to = new Option<string>("--to") { Description = "A folder, or 'blob'", DefaultValueFactory = _ => "blob" };
        var force = CommonOptions.Force();
        var command = new Command("publish", "Copy a version to another store and let it serve there if the gate agrees")
        {
            model, version, from, to, force,
        };
        command.SetAction((parsed, cancellation) => RunAsync(parsed.GetRequiredValue(model), parsed.GetValue(version),
            Stores.Open(parsed.GetRequiredValue(from)), Stores.Open(parsed.GetRequiredValue(to)), parsed.GetValue(force),
            cancellation));
        return command;
    }

    static async Task<int> RunAsync(
        string name, string? version, IBlobStore from, IBlobStore to, bool force, CancellationToken cancellation)
    {
        var (manifest, promotion) = await new Publisher(new(to), new()).CopyAsync(new(from), name, version, force, cancellation);
        Console.WriteLine(
            $"published models/{name}/{manifest.Version} ({Plural.Of(manifest.Files.Count, "file")}) in {to.Location}");
        Console.WriteLine(promotion.Promoted
            ? $"it serves now. {promotion.Reason}"
            : $"it does not serve. {promotion.Reason} --force overrides.");
        return 0;
    }
}
