using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Spectre.Console;
using VaeFunctions.Registry;

namespace VaeFunctions.LocalCloud;

/// <summary><c>fetch</c>: blobs out of the storage into a folder.</summary>
static class FetchCommand
{
    public static Command Create()
    {
        var prefix = new Argument<string>("PREFIX")
        {
            Description = "how the blobs' paths begin, such as results/MODEL/ or rejected/MODEL/; files are named by what stands "
                + "behind its last slash",
        };
        var target = new Option<string>("--out") { Description = "the folder to copy them into", Required = true };
        var data = SessionStorage.Data();
        var command = new Command(
            "fetch",
            "Copies the blobs below a prefix into a folder: results of bulk jobs, answers and rejections of the inbox, models. "
            + "The storage is that of ./vae serve, or the one that the environment variable VaeStorage names. "
            + "What is there already is left. Exit code 1 if a blob was skipped.")
        { prefix, target, data };
        command.SetAction(async (parsed, cancellation) =>
        {
            var (wanted, folder) = (parsed.GetValue(prefix)!, Path.GetFullPath(parsed.GetValue(target)!));
            if (!wanted.Contains('/')) wanted += "/"; // a container
            BlobStores.CheckPrefix(wanted);
            Directory.CreateDirectory(folder);
            var store = await SessionStorage.OpenAsync(Path.GetFullPath(parsed.GetValue(data)!), cancellation);
            return await FetchAsync(store, wanted, folder, cancellation);
        });
        return command;
    }

    /// <summary>Fetches and says what it did; the exit code.</summary>
    /// <exception cref="LocalCloudException">There is nothing below the prefix; says what there is.</exception>
    internal static async Task<int> FetchAsync(IBlobStore store, string prefix, string folder, CancellationToken cancellation)
    {
        var sinceLine = Stopwatch.StartNew();
        var report = await new BlobFetch(store, prefix, folder).RunAsync(Progress, cancellation);
        if (report.Blobs == 0)
            throw LocalCloudException.WrongInput($"Nothing in {store.Location} begins with {prefix}. "
                + $"{await NearestAsync(store, prefix, cancellation)} Letters' case counts, the first part is the container, "
                + "and what ends in a slash is a folder. Results of a job that has only begun come later.");
        // Not by AnsiConsole, which breaks lines that people copy.
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Plural.Of(report.Fetched, "file")} ({report.Bytes / 1e6:0.0} MB) of {prefix} fetched into {folder}")
            + (report.Left > 0 ? $", {Plural.Of(report.Left, "file")} left as they were" : "")
            + (report.Skipped.Count > 0 ? $", {Plural.Of(report.Skipped.Count, "blob")} skipped" : "") + ".");
        DropCommand.ListSome("Skipped:", report.Skipped);
        return report.Skipped.Count == 0 ? 0 : 1;

        void Progress(int fetched)
        {
            lock (sinceLine)
            {
                if (sinceLine.Elapsed < TimeSpan.FromSeconds(5)) return;
                AnsiConsole.WriteLine($"  {Plural.Of(fetched, "file")} fetched");
                sinceLine.Restart();
            }
        }
    }

    /// <summary>The folders that are nearest to a prefix below which there is nothing.</summary>
    static async Task<string> NearestAsync(IBlobStore store, string prefix, CancellationToken cancellation)
    {
        for (var parent = prefix; parent.TrimEnd('/').LastIndexOf('/') is > 0 and var end;)
        {
            parent = parent[..(end + 1)];
            var folders = await store.ListFoldersAsync(parent, cancellation).Take(20).ToListAsync(cancellation);
            if (folders.Count > 0) return $"Folders in {parent}: {string.Join(", ", folders.Select(name => name + "/"))}.";
        }
        return $"The container {prefix.Split('/')[0]} is empty or not there; others are results, rejected, inbox, jobs, models.";
    }
}
