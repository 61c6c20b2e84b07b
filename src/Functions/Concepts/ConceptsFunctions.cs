using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using VaeFunctions.Latent;

namespace VaeFunctions.Serving;

/// <summary>The concepts of a model: those published with it, and those that people made from example images.</summary>
public sealed class ConceptsFunctions(ModelCalls calls, RequestLatents latents, ConceptStore store)
{
    static readonly Field With = new("with", FieldType.Points, "Images or latents that show the concept.");
    static readonly Field Without = new("without", FieldType.Points, "Images or latents like them that do not.");
    static readonly Field[] Fields = [With, Without, Field.Label, Field.Version];
    static readonly Field[] Which = [Field.Version];

    [Function("Concepts")]
    [Describes("List the concepts of a version.", Fields = nameof(Which))]
    public async Task<Answer<ConceptsAnswer>> List(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "models/{model}/concepts")] HttpRequest request,
        string model, CancellationToken cancellation)
    {
        using var call = await calls.BindAsync(request, model, Which, [], cancellation);
        var concepts = await store.ListAsync(call.Session, cancellation);
        return new ConceptsAnswer(call.Model, call.Version,
            [.. concepts.Select(concept => new ConceptLine(concept.Name, concept.Unit, concept.Separability, concept.Examples))]);
    }

    [Function("SaveConcept")]
    [Describes("Make a concept from two sets of images or latents and save it for a version.", Fields = nameof(Fields))]
    public async Task<Answer<SavedConcept>> Save(
        [HttpTrigger(AuthorizationLevel.Function, "put", Route = "models/{model}/concepts/{name}")] HttpRequest request,
        string model, string name, CancellationToken cancellation)
    {
        using var call = await calls.BindAsync(request, model, Fields, [], cancellation);
        if (!call.Content.Has(With) || !call.Content.Has(Without))
            throw RequestContent.Missing(call.Content.Has(With) ? Without : With);
        var concept = Concept.Find(name, await LatentsAsync(With), await LatentsAsync(Without));
        await store.SaveAsync(call.Session, concept, cancellation);
        return new SavedConcept(call.Model, call.Version, concept.Name, concept.Separability, concept.Examples);

        async Task<float[][]> LatentsAsync(Field side)
        {
            var points = await latents.ReadAsync(call, side, inSum: false);
            return points is [] ? throw RequestException.Invalid($"\"{side.Name}\" is empty; give at least one image or latent.")
                : [.. points.Select(point => point.Latent)];
        }
    }

    [Function("DeleteConcept")]
    [Describes("Delete a concept that was saved for a version.", Fields = nameof(Which), Status = 204)]
    public async Task<IActionResult> Delete(
        [HttpTrigger(AuthorizationLevel.Function, "delete", Route = "models/{model}/concepts/{name}")] HttpRequest request,
        string model, string name, CancellationToken cancellation)
    {
        using var call = await calls.BindAsync(request, model, Which, [], cancellation);
        await store.DeleteAsync(call.Session, name, cancellation);
        return new NoContentResult();
    }
}

/// <summary>The concepts of a version, published ones first.</summary>
public sealed record ConceptsAnswer(string Model, string Version, IReadOnlyList<ConceptLine> Concepts);

/// <summary>A direction of the latent space.</summary>
/// <param name="Unit">The multiple of the difference of the means that strength 1 adds.</param>
/// <param name="Separability">The share of images on the right side of the plane between those with and those without it; ½ is
/// chance. Absent where fewer than 20 of either side were given, which are too few to judge by.</param>
/// <param name="Examples">How many images it was found from.</param>
public sealed record ConceptLine(string Name, float Unit, double? Separability, int Examples);

/// <summary>A concept as it was saved for a version.</summary>
/// <param name="Separability">The share of images on the right side of the plane between those with and those without it; ½ is
/// chance. Absent where fewer than 20 of either side were given, which are too few to judge by.</param>
/// <param name="Examples">How many images it was found from.</param>
public sealed record SavedConcept(string Model, string Version, string Name, double? Separability, int Examples);
