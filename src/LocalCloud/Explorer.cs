using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using VaeFunctions.Registry;

namespace VaeFunctions.LocalCloud;

/// <summary>The explorer's page: where it is served, and as a folder that needs no server of ours.</summary>
static class Explorer
{
    /// <summary>Files of a version that the page reads; those that a version does not have are left out.</summary>
    static readonly string[] ModelFiles =
        ["decoder.onnx", "encoder.onnx", "prior.onnx", "concepts.safetensors", "map.json", "map.safetensors"];

    /// <summary>A diverged model's metrics are NaN, and can still be looked at.</summary>
    static readonly JsonSerializerOptions asServed = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>Where the page says which of the two it is.</summary>
    const string FromFunctions = "data-source=\"api\"", FromFiles = "data-source=\"static\"";

    public static string Address(int port, string model) =>
        $"http://localhost:{port}/api/explorer#model={Uri.EscapeDataString(model)}";

    /// <summary>Whether a person is there to look at it, who can also press Ctrl-C.</summary>
    public static bool IsTerminal => !Console.IsInputRedirected && !Console.IsOutputRedirected;

    /// <summary>Opens an address in the browser, where there is a screen and something to open it with.</summary>
    public static void TryOpen(string address)
    {
        var screen = Environment.GetEnvironmentVariable("DISPLAY") ?? Environment.GetEnvironmentVariable("WAYLAND_DISPLAY");
        if (!IsTerminal || string.IsNullOrEmpty(screen))
            return;
        try
        {
            using var opener = Process.Start(new ProcessStartInfo("xdg-open", address) { RedirectStandardError = true });
        }
        catch (Win32Exception)
        {
            // There is no such program; the address stands on the screen.
        }
    }

    /// <summary>The file that says which model the page shows and what else an export wrote.</summary>
    const string ExportFile = "explorer.json";

    /// <summary>What <see cref="ExportFile"/> holds; exports of earlier builds list no files.</summary>
    sealed record Export(IReadOnlyList<ExportedModel> Models, IReadOnlyList<string>? Files = null);

    sealed record ExportedModel(string Model, string Version);

    /// <summary>Asks for what the page asks for first. Code is compiled when it first runs and files are packed when they are first
    /// asked for: whoever opens the page after this does not wait for either.</summary>
    public static async Task WarmUpAsync(int port, string model, string version, CancellationToken cancellation)
    {
        using var http = new HttpClient(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.GZip })
        {
            BaseAddress = new($"http://localhost:{port}/api/"),
        };
        var scripts = Directory.GetFiles(Path.Combine(Installation.Functions, "wwwroot"))
            .Select(file => Path.GetFileName(file)!).Where(name => name != "index.html").Select(name => $"explorer/{name}");
        var files = ModelFiles.Prepend(ModelRegistry.ManifestName)
            .Select(name => $"models/{model}/versions/{version}/files/{name}");
        foreach (var path in (string[])
            ["explorer", .. scripts, "models", .. files, $"models/{model}/versions", $"models/{model}/concepts"])
        {
            using var answer = await http.GetAsync(path, cancellation);
        }
        using var picture = await http.GetAsync($"models/{model}/sample?count=1", cancellation);
    }

    /// <summary>Writes the page with a version inside, at the addresses that the functions give them: any static server shows
    /// it. What an earlier export wrote there and this one does not is removed.</summary>
    /// <returns>The files' bytes together.</returns>
    /// <exception cref="LocalCloudException">The folder holds something else.</exception>
    public static async Task<long> ExportAsync(
        ModelRegistry registry, string model, string version, string folder, CancellationToken cancellation)
    {
        var earlier = FilesOfExport(folder);
        // What serves must be the very version that was promoted.
        var current = (await registry.TryReadCurrentAsync(model, cancellation)).Pointer;
        var manifest = current is not null && current.Version == version
            ? await registry.ReadManifestAsync(model, current, cancellation)
            : await registry.ReadManifestAsync(model, version, cancellation);
        var source = Path.Combine(Installation.Functions, "wwwroot");
        var written = new List<string>();
        long bytes = 0;
        foreach (var file in Directory.GetFiles(source).Where(file => Path.GetFileName(file) != "index.html"))
            await WriteAsync(Path.Combine("explorer", Path.GetFileName(file)), await File.ReadAllBytesAsync(file, cancellation));
        var inside = Path.Combine("models", model, "versions", version, "files");
        foreach (var file in manifest.Files.Where(file => ModelFiles.Contains(file.Name)))
            await WriteAsync(
                Path.Combine(inside, file.Name), (await registry.ReadFileAsync(manifest, file.Name, cancellation)).ToArray());
        await WriteAsync(
            Path.Combine(inside, ModelRegistry.ManifestName), JsonSerializer.SerializeToUtf8Bytes(manifest, asServed));
        var page = await File.ReadAllTextAsync(Path.Combine(source, "index.html"), cancellation);
        await WriteAsync("index.html", Encoding.UTF8.GetBytes(page.Replace(FromFunctions, FromFiles, StringComparison.Ordinal)));
        await WriteAsync(ExportFile,
            JsonSerializer.SerializeToUtf8Bytes(new Export([new(model, version)], [.. written, ExportFile]), asServed));
        foreach (var file in earlier.Except(written)) Remove(folder, file);
        return bytes;

        async Task WriteAsync(string name, byte[] content)
        {
            var path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllBytesAsync(path, content, cancellation);
            written.Add(name);
            bytes += content.Length;
        }
    }

    /// <summary>The files that an earlier export wrote into a folder; none where there was none.</summary>
    /// <exception cref="LocalCloudException">The folder holds something else.</exception>
    static IReadOnlyList<string> FilesOfExport(string folder)
    {
        if (!Directory.Exists(folder) || !Directory.EnumerateFileSystemEntries(folder).Any()) return [];
        try
        {
            var list = File.ReadAllBytes(Path.Combine(folder, ExportFile));
            if (JsonSerializer.Deserialize<Export>(list, asServed) is { Models: not null } export) return export.Files ?? [];
        }
        catch (Exception fault) when (fault is FileNotFoundException or JsonException)
        {
            // Another's.
        }
        throw LocalCloudException.WrongInput(
            $"{folder} holds other files; name an empty folder, or one that was exported before.");
    }

    /// <summary>Removes a file of an earlier export, and the folders that are empty then. A name that leads out of the folder is
    /// none that an export wrote.</summary>
    static void Remove(string folder, string name)
    {
        var (root, path) = (Path.TrimEndingDirectorySeparator(folder) + '/', Path.GetFullPath(Path.Combine(folder, name)));
        if (!path.StartsWith(root, StringComparison.Ordinal) || !File.Exists(path)) return;
        File.Delete(path);
        for (var parent = Path.GetDirectoryName(path)!;
            parent.Length > root.Length && !Directory.EnumerateFileSystemEntries(parent).Any();
            parent = Path.GetDirectoryName(parent)!)
            Directory.Delete(parent);
    }
}
