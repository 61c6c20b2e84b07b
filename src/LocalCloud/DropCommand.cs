using System.CommandLine;
using Spectre.Console;
using VaeFunctions.Commands;
using VaeFunctions.Registry;

namespace VaeFunctions.LocalCloud;

/// <summary><c>drop</c>: images and archives of images into a model's inbox, and the answers out of it.</summary>
static class DropCommand
{
    public static Command Create()
    {
        var files =
            new Argument<string[]>("FILES")
            {
                Description = "images, archives of images (.zip, .tar), or folders with both",
                Arity = ArgumentArity.OneOrMore,
            };
        var model = new Option<string?>("--model") { Description = "which model, where several are published" };
        var timeout = CommonOptions.Checked(
            "--timeout", 120, "seconds without any answer after which to give up", seconds => seconds >= 1, "1 second or more");
        var copies = new Option<string?>("--out") { Description = "also copy the results into this folder" };
        var data = SessionStorage.Data();
        var command = new Command(
            "drop",
            "Uploads images, or archives of them, to a model's inbox, waits, and says where the results are. "
            + "The storage is that of ./vae serve, or the one that the environment variable VaeStorage names. "
            + "Exit code 1 if an image was left out, rejected or not answered.")
        { files, model, timeout, copies, data };
        command.SetAction(async (parsed, cancellation) =>
        {
            var list = DropList.From(parsed.GetValue(files)!);
            var store = await SessionStorage.OpenAsync(Path.GetFullPath(parsed.GetValue(data)!), cancellation);
            var name = await Models.ChooseAsync(store, parsed.GetValue(model), cancellation);
            var code = await DropAsync(
                list, store, name, TimeSpan.FromSeconds(parsed.GetValue(timeout)), parsed.GetValue(copies), cancellation);
            if (parsed.GetValue(copies) is null)
                Console.WriteLine($"To have the results here: ./vae fetch results/{name}/ --out DIR"
                    + (parsed.GetResult(data) is { Implicit: false } ? $" --data {parsed.GetValue(data)}" : ""));
            return code;
        });
        return command;
    }

    static async Task<int> DropAsync(
        DropList list, IBlobStore store, string model, TimeSpan patience, string? copies, CancellationToken cancellation)
    {
        var inbox = new Inbox(store, model);
        var report = await Progressing.RunAsync(
            $"{Plural.Of(list.Items.Count, "file")} to {model}",
            progress => inbox.DropAsync(list.Items, patience, progress, cancellation));
        if (list.Ignored > 0)
            AnsiConsole.MarkupLineInterpolated(
                $"Left out {Plural.Of(list.Ignored, "file that is no image", "files that are not images")}.");
        ListSome($"{list.LeftOut.Count} left out:", list.LeftOut);
        if (copies is not null)
            await inbox.FetchAsync(report, copies, cancellation);

        var images = report.Done.Count - report.Archives.Count + report.Archives.Sum(archive => archive.Done);
        var rate = images / report.Elapsed.TotalSeconds;
        AnsiConsole.MarkupInterpolated($"[green]{images} done[/] in {report.Elapsed.TotalSeconds:0.0} s ");
        AnsiConsole.MarkupLineInterpolated($"({rate:0} images/s): results/{model}/ in {store.Location}");
        if (copies is not null)
            AnsiConsole.MarkupLineInterpolated($"Copied to {Path.GetFullPath(copies)}");
        ListSome("Images of archives that could not be processed:",
            [.. report.Archives.Where(archive => archive.Failed > 0).Select(archive =>
                $"{archive.Archive}: {archive.Failed} of {archive.Done + archive.Failed}, "
                + $"see results/{model}/{archive.Archive}/failures.jsonl")]);
        ListSome($"{report.Rejected.Count} rejected, kept in rejected/{model}/:",
            [.. report.Rejected.Select(pair => $"{pair.Key}: {pair.Value}")]);
        ListSome(
            $"{report.Unanswered.Count} without an answer after {patience.TotalSeconds:0} s of silence; they stay in "
                + $"inbox/{model}/. Are the functions running? ./vae serve",
            report.Unanswered);
        var failed = report.Archives.Sum(archive => archive.Failed);
        return report.Rejected.Count + report.Unanswered.Count + list.LeftOut.Count + failed == 0 ? 0 : 1;
    }

    /// <summary>A heading and up to 20 lines below it; nothing where there are none.</summary>
    internal static void ListSome(string heading, IReadOnlyList<string> lines)
    {
        if (lines.Count == 0)
            return;
        AnsiConsole.MarkupLineInterpolated($"[yellow]{heading}[/]");
        foreach (var line in lines.Take(20))
            AnsiConsole.WriteLine($"  {line}");
        if (lines.Count > 20)
            AnsiConsole.WriteLine($"  … and {lines.Count - 20} more");
    }
}
