using VaeFunctions.Latent;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Concepts that people saved: concepts/{model}/{version}/{name}.safetensors.</summary>
/// <remarks>A direction means something in the latent space of one version only, and is kept for that; not beside the version,
/// since functions may only read what is published.</remarks>
public sealed class ConceptStore(IBlobStore store, ILogger<ConceptStore> logger)
{
    const long LargestFile = 16 << 20;

    /// <summary>A concept that was published with the version, or saved for it; its name may be written as its label is.</summary>
    /// <exception cref="RequestException">404: there is none of that name; says which there are.</exception>
    public async Task<Concept> FindAsync(ModelSession session, string name, CancellationToken cancellation)
    {
        if (session.Concepts.FirstOrDefault(concept => concept.Name == name) is { } published)
            return published;
        if (ConceptFile.IsConceptName(name)
            && await ReadAsync(session, PathOf(session, name), cancellation) is { } saved)
            return saved[0];
        var all = await ListAsync(session, cancellation);
        // "Long Hair" asks for long_hair, as whoever knows the label writes it.
        var meant = ConceptFile.ToConceptName(name);
        if (all.FirstOrDefault(concept => ConceptFile.ToConceptName(concept.Name) == meant) is { } alike)
            return alike;
        string[] known = [.. all.Select(concept => concept.Name).Take(40)];
        throw new RequestException(StatusCodes.Status404NotFound,
            $"{session.Model}, version {session.Version} has no concept \"{RequestContent.Shortened(name)}\". " +
            $"{(known is [] ? "It has none" : $"It has {string.Join(", ", known)}")}; give examples of one, or save one "
                + $"with PUT models/{session.Model}/concepts/NAME.");
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
                logger.LogWarning("{Path} is left out: {Reason} Save the concept again, or delete the file", blob.Path, fault.Message);
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
        try
        {
            name = (await FindAsync(session, name, cancellation)).Name;
        }
        catch (Exception fault) when (fault is ModelFormatException or BlobTooLargeException)
        {
            // It is there and cannot be read, which is a reason to delete it.
        }
        if (session.Concepts.Any(published => published.Name == name))
            throw new RequestException(StatusCodes.Status409Conflict,
                $"{name} was published with {session.Model}, version {session.Version}, and stays as it is; only saved concepts "
                    + "can be deleted.");
        await store.DeleteAsync(PathOf(session, name), cancellation);
    }

    /// <exception cref="ModelFormatException">The file is damaged.</exception>
    Task<IReadOnlyList<Concept>?> ReadAsync(ModelSession session, string path, CancellationToken cancellation) =>
        store.TryReadAsync(path, LargestFile, blob => ConceptFile.Read(blob.Content, session.LatentSize, path), cancellation);

    static string FolderOf(ModelSession session) => $"concepts/{session.Model}/{session.Version}/";

    static string PathOf(ModelSession session, string name) => $"{FolderOf(session)}{name}.safetensors";
}
