using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace VaeFunctions.Registry;

/// <summary>Published models: immutable versions, and for each model a pointer to the one that serves. docs/blob-layout.md has
/// the layout.</summary>
public sealed partial class ModelRegistry(IBlobStore store)
{
    public const string ManifestName = "manifest.json";

    /// <summary>What a model's name is made of, in words.</summary>
    public const string ModelNameRule =
        "1 to 63 lower-case letters, digits, '-', '.' and '_', beginning with a letter or digit";

    internal const string PointerName = "current.json";

    const string Container = "models";
    const long MaxDocument = 4 << 20;

    static readonly TimeSpan LongestPublication = TimeSpan.FromDays(1);

    public IBlobStore Store => store;

    public static bool IsModelName(string name) => ModelName().IsMatch(name);

    /// <summary>A name for a model's next version, after all that are there, whole or not.</summary>
    /// <param name="others">Names that it is to come after, too.</param>
    public async Task<string> NewVersionAsync(
        string model, DateTimeOffset now, IEnumerable<string>? others = null, CancellationToken cancellation = default) =>
        TimeName.After(now, [.. await store.ListFoldersAsync(FolderOf(model), cancellation).ToListAsync(cancellation),
            .. others ?? []]);

    /// <summary>Publishes a version: its files first, the manifest last, so that it exists whole or not at all.</summary>
    /// <param name="manifest">Names the model and version; <see cref="Manifest.Files"/> is filled in here.</param>
    /// <returns>The manifest as it was written.</returns>
    /// <exception cref="VersionTakenException">The version exists already with other content.</exception>
    /// <exception cref="RegistryException">A name is not allowed.</exception>
    public async Task<Manifest> PublishAsync(
        Manifest manifest, IReadOnlyDictionary<string, BinaryData> files, CancellationToken cancellation = default)
    {
        manifest = manifest with
        {
            Files = [.. files.OrderBy(file => file.Key, StringComparer.Ordinal)
                .Select(file => new ManifestFile(file.Key, file.Value.ToMemory().Length, Sha256(file.Value)))],
        };
        var path = PathOf(manifest.Model, manifest.Version, ManifestName);
        ManifestJson.Validate(manifest, path);
        var document = ManifestJson.Write(manifest);
        if (document.ToMemory().Length > MaxDocument)
            throw new RegistryException($"{path} would have {document.ToMemory().Length} bytes, above the limit of "
                + $"{MaxDocument}; shorten its labels or recipe.");

        foreach (var file in manifest.Files)
            await WriteOnceAsync(PathOf(manifest.Model, manifest.Version, file.Name), files[file.Name], cancellation);
        await WriteOnceAsync(
            path, document, cancellation, asWritten: found => ManifestJson.Write(ManifestJson.ReadManifest(found, path)));
        return manifest;
    }

    /// <summary>The names of all models that have anything published, in ordinal order.</summary>
    public async Task<IReadOnlyList<string>> ListModelsAsync(CancellationToken cancellation = default) =>
        await store.ListFoldersAsync($"{Container}/", cancellation).Where(IsModelName).ToArrayAsync(cancellation);

    /// <summary>A model's complete versions, newest first; none for a model that does not exist.</summary>
    public async Task<IReadOnlyList<string>> ListVersionsAsync(string model, CancellationToken cancellation = default)
    {
        var folder = FolderOf(model);
        var versions = await store.ListAsync(folder, cancellation)
            .Select(blob => blob.Path[folder.Length..].Split('/'))
            .Where(parts => parts is [_, ManifestName])
            .Select(parts => parts[0])
            .ToListAsync(cancellation);
        versions.Sort((left, right) => string.CompareOrdinal(right, left));
        return versions;
    }

    /// <exception cref="ModelNotFoundException">There is no such model or version; says which exist.</exception>
    /// <exception cref="ModelFormatException">The manifest is damaged or of another format.</exception>
    public async Task<Manifest> ReadManifestAsync(string model, string version, CancellationToken cancellation = default) =>
        (await ReadManifestAsync(model, version, null, cancellation)).Manifest;

    /// <summary>The manifest of the version that serves, which must be the very one that was promoted.</summary>
    /// <exception cref="ModelNotFoundException">The pointer names a version that is not there.</exception>
    /// <exception cref="ModelFormatException">The manifest is damaged, of another format, or not the one that was
    /// promoted.</exception>
    public async Task<Manifest> ReadManifestAsync(
        string model, CurrentPointer current, CancellationToken cancellation = default) =>
        (await ReadManifestAsync(model, current.Version, current.Manifest, cancellation)).Manifest;

    /// <param name="expected">The manifest's SHA-256; null where it is not known.</param>
    async Task<(Manifest Manifest, string Sha256)> ReadManifestAsync(
        string model, string version, string? expected, CancellationToken cancellation)
    {
        var path = PathOf(model, version, ManifestName);
        var read = await store.TryReadAsync(
            path, MaxDocument, blob => Tuple.Create(Understand(blob), Sha256(blob.Content)), cancellation);
        return read is (var manifest, var found)
            ? (manifest, found)
            : throw await NotFoundAsync(model, version, cancellation);

        Manifest Understand(Blob blob)
        {
            var manifest = ManifestJson.ReadManifest(blob.Content, path);
            if (manifest.Model != model || manifest.Version != version)
                throw new ModelFormatException($"{path}: it is the manifest of {manifest.Model} {manifest.Version}; a version's "
                    + "folder is not to be copied or renamed.");
            return expected is null || Sha256(blob.Content) == expected
                ? manifest
                : throw new ModelFormatException($"{path}: it is not the manifest that was promoted: SHA-256 "
                    + $"{Sha256(blob.Content)} was found, {expected} is in the pointer. Promote a version again, or roll back.");
        }
    }

    /// <exception cref="RegistryException">There is no such model, version or file, or the file is not what was
    /// published.</exception>
    public async Task<BinaryData> ReadFileAsync(
        string model, string version, string name, CancellationToken cancellation = default) =>
        await ReadFileAsync(await ReadManifestAsync(model, version, cancellation), name, cancellation);

    /// <summary>A file of a version, checked against the size and SHA-256 that its manifest gives.</summary>
    /// <exception cref="ModelNotFoundException">The version has no such file.</exception>
    /// <exception cref="ModelFormatException">The file is missing or is not what was published.</exception>
    public async Task<BinaryData> ReadFileAsync(Manifest manifest, string name, CancellationToken cancellation = default)
    {
        var file = manifest.Files.FirstOrDefault(file => file.Name == name)
            ?? throw new ModelNotFoundException($"{manifest.Model} {manifest.Version} has no file {name}; it has "
                + $"{Some(manifest.Files.Select(file => file.Name))}.");
        var path = PathOf(manifest.Model, manifest.Version, name);
        return await store.TryReadAsync(path, long.MaxValue, blob => Checked(blob.Content), cancellation)
            ?? throw new ModelFormatException(
                $"{path} at {store.Location} is missing, but the manifest lists it; publish the model again or roll back.");

        BinaryData Checked(BinaryData content) =>
            content.ToMemory().Length == file.Size && Sha256(content) == file.Sha256
                ? content
                : throw new ModelFormatException($"{path} at {store.Location} is damaged: {content.ToMemory().Length} bytes, "
                    + $"SHA-256 {Sha256(content)} were found, "
                    + $"{file.Size} bytes, SHA-256 {file.Sha256} were published; publish the model again or roll back.");
    }

    /// <summary>Deletes what publications left that were cut off: versions without a manifest to which nothing was added for a
    /// day before the newest blob of the model was written.</summary>
    public async Task SweepAsync(string model, CancellationToken cancellation = default)
    {
        var folder = FolderOf(model);
        var blobs = await store.ListAsync(folder, cancellation)
            .Select(blob => (Parts: blob.Path[folder.Length..].Split('/'), blob)).ToListAsync(cancellation);
        var litter = blobs.Where(item => item.Parts.Length > 1 && TimeName.Is(item.Parts[0])).GroupBy(item => item.Parts[0])
            .Where(version => version.All(item => item.Parts[1] != ManifestName)
                && version.Max(item => item.blob.Changed) < blobs.Max(item => item.blob.Changed) - LongestPublication)
            .SelectMany(version => version);
        foreach (var (_, blob) in litter) await store.DeleteAsync(blob.Path, cancellation);
    }

    /// <summary>Which version serves, or null where none does. One small read, fit for polling.</summary>
    /// <exception cref="ModelFormatException">The pointer is damaged.</exception>
    public Task<CurrentPointer?> ReadCurrentAsync(string model, CancellationToken cancellation = default) =>
        store.TryReadAsync(PointerOf(model), MaxDocument, blob => ManifestJson.ReadPointer(blob, PointerOf(model)), cancellation);

    /// <summary>The pointer, or why it cannot be read: a damaged one keeps no sound version from being published or
    /// shown.</summary>
    public async Task<(CurrentPointer? Pointer, string? Damage)> TryReadCurrentAsync(
        string model, CancellationToken cancellation = default)
    {
        try
        {
            return (await ReadCurrentAsync(model, cancellation), null);
        }
        catch (ModelFormatException damaged)
        {
            return (null, damaged.Message);
        }
    }

    /// <summary>Makes a complete version the one that serves, provided that the pointer still is what the caller saw.</summary>
    /// <param name="seen">What <see cref="ReadCurrentAsync"/> gave when the decision was made; null where no version served, or a
    /// damaged pointer was found, which is then replaced.</param>
    /// <exception cref="RegistryException">The version does not exist or is incomplete.</exception>
    /// <exception cref="PointerMovedException">Another promotion came first.</exception>
    public async Task<CurrentPointer> PromoteAsync(
        string model, string version, string reason, CurrentPointer? seen, CancellationToken cancellation = default)
    {
        if (seen?.Version == version) return seen;
        IEnumerable<PastVersion> history = seen is null ? [] : seen.History.Prepend(Past(seen));
        return await MoveAsync(model, version, reason, [.. history.Take(CurrentPointer.MaxHistory)], [], seen, cancellation);
    }

    /// <summary>Goes back to the version that served before, or to a named one. Again and again goes further back. A named one
    /// also replaces a damaged pointer.</summary>
    /// <exception cref="RegistryException">No version served before, or the named one is missing or incomplete.</exception>
    /// <exception cref="PointerMovedException">Another change came first.</exception>
    public async Task<CurrentPointer> RollbackAsync(
        string model, string? toVersion = null, string? reason = null, CancellationToken cancellation = default)
    {
        CurrentPointer seen;
        try
        {
            seen = await ReadCurrentAsync(model, cancellation) ?? throw await NotFoundAsync(model, null, cancellation);
        }
        catch (ModelFormatException) when (toVersion is not null)
        {
            return await PromoteAsync(model, toVersion, reason ?? "Rolled back from a damaged pointer.", null, cancellation);
        }
        var version = toVersion ?? seen.Previous ?? throw new RegistryException(
            $"{model}: no version served before {seen.Version}. Name one of "
                + $"{Some(await ListVersionsAsync(model, cancellation))}.");
        if (version == seen.Version) return seen;
        reason ??= $"Rolled back from {seen.Version}.";
        var depth = seen.History.TakeWhile(past => past.Version != version).Count();
        return depth == seen.History.Count // not in the history: a step forward, as far as the next rollback is concerned
            ? await PromoteAsync(model, version, reason, seen, cancellation)
            : await MoveAsync(model, version, reason, [.. seen.History.Skip(depth + 1)],
                [seen.Version, .. seen.History.Take(depth).Select(past => past.Version)], seen, cancellation);
    }

    /// <param name="left">The versions that a rollback leaves.</param>
    async Task<CurrentPointer> MoveAsync(
        string model, string version, string reason, IReadOnlyList<PastVersion> history, IReadOnlyList<string> left,
        CurrentPointer? seen, CancellationToken cancellation)
    {
        var manifest = await CheckWholeAsync(
            model, version, seen?.History.FirstOrDefault(past => past.Version == version)?.Manifest, cancellation);
        var versions = await ListVersionsAsync(model, cancellation);
        var damaged = seen is null ? await DamagedPointerAsync(model, cancellation) : null;
        // Which versions a damaged pointer knew to be rolled back is lost: none of them comes back by itself.
        var rolledBack = left.Concat(damaged is not null ? versions : seen?.LeftBehind(versions) ?? [])
            .Distinct().Where(other => other != version).OrderDescending(StringComparer.Ordinal);
        var condition = (seen?.ETag ?? damaged) is { } etag ? WriteCondition.IfUnchanged(etag) : WriteCondition.IfAbsent;
        var pointer = new CurrentPointer
        {
            Version = version,
            Manifest = manifest,
            Changed = DateTimeOffset.UtcNow,
            Reason = reason,
            History = history,
            RolledBack = [.. rolledBack.Take(CurrentPointer.MaxHistory)],
        };
        try
        {
            var content = ManifestJson.Write(pointer);
            return pointer with { ETag = await store.WriteAsync(PointerOf(model), content, condition, cancellation) };
        }
        catch (BlobConflictException e)
        {
            var now = await ReadCurrentAsync(model, cancellation);
            // Another did the same, or the storage library repeated a write whose answer was lost, which then met itself.
            if (now?.Version == version) return now;
            throw new PointerMovedException($"{model}: the pointer moved meanwhile: {now?.Version ?? "no version"} serves now, "
                + $"{seen?.Version ?? "no version"} did. {version} was not made to serve; ./vae models lists what there is, and "
                + "the same command again decides anew.", e);
        }
    }

    /// <summary>The ETag of the pointer if it is damaged; null where it is sound or there is none.</summary>
    async Task<string?> DamagedPointerAsync(string model, CancellationToken cancellation)
    {
        var blob = await store.TryReadAsync(PointerOf(model), MaxDocument, cancellation);
        try
        {
            if (blob is not null) ManifestJson.ReadPointer(blob, PointerOf(model));
            return null;
        }
        catch (ModelFormatException)
        {
            return blob!.ETag;
        }
    }

    /// <summary>Checks every file of a version by its SHA-256: the pointer is not to move to what cannot be loaded.</summary>
    /// <param name="expected">The manifest's SHA-256, where it is known.</param>
    /// <returns>The manifest's SHA-256.</returns>
    async Task<string> CheckWholeAsync(string model, string version, string? expected, CancellationToken cancellation)
    {
        var (manifest, sha256) = await ReadManifestAsync(model, version, expected, cancellation);
        var sizes = await store.ListAsync(PathOf(model, version, ""), cancellation)
            .ToDictionaryAsync(blob => blob.Path, blob => blob.Size, null, cancellation);
        foreach (var file in manifest.Files)
            if (!sizes.TryGetValue(PathOf(model, version, file.Name), out var size) || size != file.Size)
                throw new RegistryException($"{model} {version} is incomplete and cannot serve: {file.Name} "
                    + (sizes.ContainsKey(PathOf(model, version, file.Name))
                        ? $"has {size} bytes, {file.Size} were published."
                        : "is missing."));
        foreach (var file in manifest.Files) await ReadFileAsync(manifest, file.Name, cancellation);
        return sha256;
    }

    /// <summary>A blob of a version is written once; meeting itself, as after a publish that was cut off, is no
    /// conflict.</summary>
    /// <param name="asWritten">What this build would have written for what an earlier one did.</param>
    async Task WriteOnceAsync(
        string path, BinaryData content, CancellationToken cancellation, Func<BinaryData, BinaryData>? asWritten = null)
    {
        try
        {
            await store.WriteAsync(path, content, WriteCondition.IfAbsent, cancellation);
        }
        catch (BlobConflictException e)
        {
            var found = await store.TryReadAsync(path, long.MaxValue, cancellation);
            var isSame = found is not null
                && (Same(found.Content, content) || (asWritten is not null && Same(asWritten(found.Content), content)));
            if (!isSame)
                throw new VersionTakenException(
                    $"{path} exists already with other content, and a version is immutable; publish under a new version.", e);
        }
    }

    async Task<ModelNotFoundException> NotFoundAsync(string model, string? version, CancellationToken cancellation)
    {
        var versions = await ListVersionsAsync(model, cancellation);
        var models = await ListModelsAsync(cancellation);
        return new(versions.Count == 0 && !models.Contains(model)
            ? $"There is no model {model} at {store.Location}. Models there: {Some(models)}."
            : version is null
                ? $"No version of {model} serves yet. Promote one of {Some(versions)}."
                : $"{model} has no complete version {version}. It has {Some(versions)}.");
    }

    static string FolderOf(string model) => IsModelName(model)
        ? $"{Container}/{model}/"
        : throw new RegistryException(
            $"\"{(model.Length > 63 ? model[..63] + "…" : model)}\" is not a model's name: {ModelNameRule}.");

    static string PathOf(string model, string version, string name) => ManifestJson.IsVersion(version)
        ? $"{FolderOf(model)}{version}/{name}"
        : throw new RegistryException(
            $"\"{(version.Length > 63 ? version[..63] + "…" : version)}\" is not a version such as 20260102T030405Z.");

    static string PointerOf(string model) => FolderOf(model) + PointerName;

    static PastVersion Past(CurrentPointer pointer) =>
        new(pointer.Version, pointer.Changed, pointer.Reason, pointer.Manifest);

    static string Sha256(BinaryData content) => Convert.ToHexStringLower(SHA256.HashData(content.ToMemory().Span));

    static bool Same(BinaryData left, BinaryData right) => left.ToMemory().Span.SequenceEqual(right.ToMemory().Span);

    static string Some(IEnumerable<string> names) =>
        string.Join(", ", names.Take(11).Select((name, i) => i < 10 ? name : "…")) is { Length: > 0 } text ? text : "none";

    [GeneratedRegex("^[a-z0-9][a-z0-9._-]{0,62}\\z")]
    private static partial Regex ModelName();
}
