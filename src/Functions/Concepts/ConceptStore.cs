using VaeFunctions.Latent;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Concepts that people saved: concepts/{model}/{version}/{name}.safetensors.</summary>
/// <remarks>A direction means something in the latent space of one version only, and is kept for that; not beside the version,
/// since functions may only read what is published.</remarks>
public sealed class ConceptStore(IBlobStore store)
{
    const long LargestFile = 16 << 20;

    /// <summary>A concept that was published with the version, or saved for it.</summary>
    /// <exception cref="RequestException">404: there is none of that name; says which there are.</exception>
    public async Task<Concept> FindAsync(ModelSession session, string name, CancellationToken cancellation)
    {
        if (session.Concepts.FirstOrDefault(concept => concept.Name == name) is { } published)
            return published;
        if (ConceptFile.IsConceptName(name)
            && await store.TryReadAsync(PathOf(session, name), LargestFile, cancellation) is { } saved)
            return ConceptFile.Read(saved.Content, session.LatentSize)[0];
        string[] known = [.. (await ListAsync(session, cancellation)).Select(concept => concept.Name).Take(40)];
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
            if (await store.TryReadAsync(blob.Path, LargestFile, cancellation) is { } saved)
                all.AddRange(ConceptFile.Read(saved.Content, session.LatentSize));
        }
        return all;
    }

    /// <exception cref="RequestException">400: the name cannot be one. 409: a published concept has it.</exception>
    public async Task SaveAsync(ModelSession session, Concept concept, CancellationToken cancellation)
    {
        if (!ConceptFile.IsConceptName(concept.Name))
            throw RequestException.Invalid(
                $"\"{RequestContent.Shortened(concept.Name)}\" is not a concept's name: 1 to 63 lower-case letters, digits, '-' "
                    + "and '_', beginning with a letter or digit.");
        if (session.Concepts.Any(published => published.Name == concept.Name))
            throw new RequestException(StatusCodes.Status409Conflict,
                $"{concept.Name} was published with {session.Model}, version {session.Version}, and stays as it is; take another "
                    + "name.");
        await store.WriteAsync(PathOf(session, concept.Name), ConceptFile.Write([concept]), cancellation: cancellation);
    }

    /// <exception cref="RequestException">404: there is none of that name. 409: it was published with the version.</exception>
    public async Task DeleteAsync(ModelSession session, string name, CancellationToken cancellation)
    {
        if ((await FindAsync(session, name, cancellation)) is var found && session.Concepts.Contains(found))
            throw new RequestException(StatusCodes.Status409Conflict,
                $"{name} was published with {session.Model}, version {session.Version}, and stays as it is; only saved concepts "
                    + "can be deleted.");
        await store.DeleteAsync(PathOf(session, name), cancellation);
    }

    static string FolderOf(ModelSession session) => $"concepts/{session.Model}/{session.Version}/";

    static string PathOf(ModelSession session, string name) => $"{FolderOf(session)}{name}.safetensors";
}
