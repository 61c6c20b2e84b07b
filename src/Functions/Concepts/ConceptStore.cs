using VaeFunctions.Latent;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Concepts that people saved: concepts/{model}/{version}/{name}.safetensors.</summary>
/// <remarks>A direction means something in the latent space of one version only, and is kept for that; not beside the version,
/// since functions may only read what is published.</remarks>
public sealed class ConceptStore(IBlobStore store, ILogger<ConceptStore> logger)
{
    const long LargestFile = 16 << 20;
    const string Ending = ".safetensors";

    /// <summary>A concept that was published with the version, or saved for it; its name may be written as its label
    /// is.</summary>
    /// <exception cref="RequestException">404: there is none of that name; says which there are.</exception>
    public async Task<Concept> FindAsync(ModelSession session, string name, CancellationToken cancellation)
    {
        var stored = await StoredNameAsync(session, name, cancellation);
        return session.Concepts.FirstOrDefault(concept => concept.Name == stored)
            ?? (await ReadAsync(session, PathOf(session, stored), cancellation))?[0]
            ?? throw new RequestException(StatusCodes.Status404NotFound,
                $"The concept {stored} of {session.Model}, version {session.Version} was deleted a moment ago; save it again.");
    }

    /// <summary>All concepts of a version, published ones first.</summary>
    public async Task<IReadOnlyList<Concept>> ListAsync(ModelSession session, CancellationToken cancellation)
    {
        List<Concept> all = [.. session.Concepts];
        await foreach (var blob in store.ListAsync(FolderOf(session), cancellation))
        {
            try
            {
                if (await ReadAsync(session, blob.Path, cancellation) is { } saved)
                    all.AddRange(saved);
            }
            catch (Exception fault) when (fault is ModelFormatException or BlobTooLargeException)
            {
                // One that somebody damaged must not hide the others.
                logger.LogWarning(
                    "{Path} is left out: {Reason} Save the concept again, or delete the file", blob.Path, fault.Message);
            }
        }
        return all;
    }

    /// <exception cref="RequestException">400: the name cannot be one. 409: a published concept has it.</exception>
    public async Task SaveAsync(ModelSession session, Concept concept, CancellationToken cancellation)
    {
        if (!ConceptFile.IsConceptName(concept.Name))
            throw RequestException.Invalid(
                $"\"{RequestContent.Shortened(concept.Name)}\" is not a concept's name: 1 to 63 letters, none of them a capital, "
                    + $"digits, '-' and '_', beginning with a letter or digit. Take {ConceptFile.ToConceptName(concept.Name)}.");
        if (session.Concepts.Any(published => published.Name == concept.Name))
            throw new RequestException(StatusCodes.Status409Conflict,
                $"{concept.Name} was published with {session.Model}, version {session.Version}, and stays as it is; take another "
                    + "name.");
        await store.WriteAsync(PathOf(session, concept.Name), ConceptFile.Write([concept]), cancellation: cancellation);
    }

    /// <summary>Deletes a saved concept, a damaged one too.</summary>
    /// <exception cref="RequestException">404: there is none of that name. 409: it was published with the version.</exception>
    public async Task DeleteAsync(ModelSession session, string name, CancellationToken cancellation)
    {
        name = await StoredNameAsync(session, name, cancellation);
        if (session.Concepts.Any(published => published.Name == name))
            throw new RequestException(StatusCodes.Status409Conflict,
                $"{name} was published with {session.Model}, version {session.Version}, and stays as it is; only saved concepts "
                    + "can be deleted.");
        await store.DeleteAsync(PathOf(session, name), cancellation);
    }

    /// <summary>The name under which a concept is kept: as it is given, or one whose label is written so.</summary>
    async Task<string> StoredNameAsync(ModelSession session, string name, CancellationToken cancellation)
    {
        List<string> known = [.. session.Concepts.Select(concept => concept.Name)];
        await foreach (var blob in store.ListAsync(FolderOf(session), cancellation))
            if (blob.Path.EndsWith(Ending, StringComparison.Ordinal))
                known.Add(blob.Path[FolderOf(session).Length..^Ending.Length]);
        // "Long Hair" asks for long_hair, as whoever knows the label writes it.
        var meant = ConceptFile.ToConceptName(name);
        var found = known.Find(stored => stored == name) ?? known.Find(stored => ConceptFile.ToConceptName(stored) == meant);
        if (found is not null)
            return found;
        var there = known is [] ? "It has none" : $"It has {string.Join(", ", known.Take(40))}";
        throw new RequestException(StatusCodes.Status404NotFound,
            $"{session.Model}, version {session.Version} has no concept \"{RequestContent.Shortened(name)}\". {there}; "
                + $"give examples of one, or save one with PUT models/{session.Model}/concepts/NAME.");
    }

    /// <exception cref="ModelFormatException">The file is damaged.</exception>
    Task<IReadOnlyList<Concept>?> ReadAsync(ModelSession session, string path, CancellationToken cancellation) =>
        store.TryReadAsync(path, LargestFile, blob => ConceptFile.Read(blob.Content, session.LatentSize, path), cancellation);

    static string FolderOf(ModelSession session) => $"concepts/{session.Model}/{session.Version}/";

    static string PathOf(ModelSession session, string name) => $"{FolderOf(session)}{name}{Ending}";
}
