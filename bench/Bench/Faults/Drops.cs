using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using VaeFunctions.Registry;

namespace VaeFunctions.Bench.Faults;

/// <summary>Images dropped in the inbox one after another, some of them broken, some replaced once they are answered: every name
/// has one answer, a result or a rejection, of the content that lies there last.</summary>
sealed class Drops(IBlobStore store, string model, int round, int count, TimeSpan pause) : IWork
{
    readonly ConcurrentDictionary<string, (Picture? Picture, string ETag)> dropped = [];

    string Folder => $"{model}/{round:0000}/";

    public async Task RunAsync(CancellationToken cancellation)
    {
        for (var i = 0; i < count; i++)
        {
            await DropAsync(i, broken: i % 10 == 3, cancellation);
            await Task.Delay(pause, cancellation);
        }
        // A broken image is mended under its name, and a good one broken, each when it has its answer.
        foreach (var (i, broken) in ((int, bool)[])[(3, false), (4, true)])
        {
            await Stubborn.DoAsync(async () =>
            {
                while ((await LackingAsync(cancellation)).Any(what => what.Contains(NameOf(i), StringComparison.Ordinal)))
                    await Task.Delay(500, cancellation);
            }, cancellation);
            await DropAsync(i, broken, cancellation);
        }
    }

    public async Task<IReadOnlyList<string>> LackingAsync(CancellationToken cancellation)
    {
        var found = new HashSet<string>();
        foreach (var container in (string[])["results", "rejected"])
        {
            await foreach (var blob in store.ListAsync($"{container}/{Folder}", cancellation))
                found.Add(blob.Path);
        }
        var lacking = new List<string>();
        foreach (var (name, (picture, etag)) in dropped)
        {
            string[] answer = picture is null
                ? [$"rejected/{name}", $"rejected/{name}.json"] : [$"results/{name}.png", $"results/{name}.json"];
            foreach (var path in answer.Where(path => !found.Remove(path)))
                lacking.Add($"{path} is missing");
            if (lacking.Count == 0 && await WrongAsync(name, picture, etag, cancellation) is { } wrong)
                lacking.Add($"{name}: {wrong}");
        }
        return [.. lacking, .. found.Order(StringComparer.Ordinal).Select(path => $"{path} is an answer too many")];
    }

    public async Task ClearAsync(CancellationToken cancellation)
    {
        foreach (var container in (string[])["inbox", "results", "rejected"])
            await store.ClearAsync($"{container}/{Folder}", cancellation);
    }

    public async Task DropAsync(int i, bool broken, CancellationToken cancellation)
    {
        var picture = broken ? null : Picture.Of(1000 * round + i);
        var content = picture is null ? BinaryData.FromString($"no picture, {round} {i}") : new BinaryData(picture.Png());
        await Stubborn.DoAsync(async () =>
        {
            var etag = await store.WriteAsync($"inbox/{NameOf(i)}", content, cancellation: cancellation);
            dropped[NameOf(i)] = (picture, etag.Trim('"'));
        }, cancellation);
    }

    string NameOf(int i) => $"{Folder}{i:00}.png";

    async Task<string?> WrongAsync(string name, Picture? picture, string etag, CancellationToken cancellation)
    {
        var path = picture is null ? $"rejected/{name}.json" : $"results/{name}.json";
        if (await store.TryReadAsync(path, 1 << 20, cancellation) is not { } blob)
            return $"{path} has gone";
        var answer = JsonNode.Parse(blob.Content)!;
        if (((string)answer["sourceETag"]!).Trim('"') != etag)
            return $"its answer is of another content, {answer["sourceETag"]} instead of {etag}";
        if (picture is null)
            return ((string)answer["reason"]!).Length > 0 ? null : "its rejection gives no reason";
        if (!picture.IsLatent([.. answer["latent"]!.AsArray().Select(number => (float)number!)]))
            return $"its latent is {answer["latent"]!.ToJsonString()}, not that of {picture}";
        var version = (string)answer["version"]!;
        return await store.TryReadAsync($"results/{name}.png", 1 << 20, cancellation) is { } png
            && picture.IsDecoded(png.Content.ToArray(), version) ? null : $"its picture is not what {version} decodes";
    }
}

static class Clearing
{
    /// <summary>Deletes everything under a prefix.</summary>
    public static async Task ClearAsync(this IBlobStore store, string prefix, CancellationToken cancellation)
    {
        await foreach (var blob in store.ListAsync(prefix, cancellation))
            await store.DeleteAsync(blob.Path, cancellation);
    }
}
