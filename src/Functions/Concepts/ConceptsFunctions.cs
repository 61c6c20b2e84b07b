using System.Text.Json.Nodes;
using Microsoft.Azure.Functions.Worker;

namespace VaeFunctions.Serving;

/// <summary>The concepts of a model: those published with it, and those that people made from example images.</summary>
public sealed class ConceptsFunctions(ModelCalls calls, RequestLatents latents, ConceptStore store)
{
    static readonly Field With = new("with", FieldType.Images, "Images that show the concept.");
    static readonly Field Without = new("without", FieldType.Images, "Images like them that do not.");
    static readonly Field[] Fields = [With, Without, Field.Label];

    [Function("Concepts")]
    [Describes("List the concepts of the serving version.")]
    public async Task<Answer<ConceptsAnswer>> List(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "models/{model}/concepts")] HttpRequest request,
        string model, CancellationToken cancellation)
    {
        using var call = await calls.BindAsync(request, model, [], [], cancellation);
        var concepts = await store.ListAsync(call.Session, cancellation);
        return new ConceptsAnswer(call.Model, call.Version,
            [.. concepts.Select(concept => new ConceptLine(concept.Name, concept.Unit, concept.Separability, concept.Examples))]);
    }

    [Function("SaveConcept")]
    [Describes("Make a concept from two sets of images and save it for the serving version.", Fields = nameof(Fields))]
    public async Task<Answer<SavedConcept>> Save(
        [HttpTrigger(AuthorizationLevel.Function, "put", Route = "models/{model}/concepts/{name}")] HttpRequest request,
        string model, string name, CancellationToken cancellation)
    {
        using var call = await calls.BindAsync(request, model, Fields, [], cancellation);
        if (!call.Content.Has(With) || !call.Content.Has(Without))
            throw RequestContent.Missing(call.Content.Has(With) ? Without : With);
        var sets = new JsonObject
        {
            ["with"] = call.Content[With]?.DeepClone(),
            ["without"] = call.Content[Without]?.DeepClone(),
        };
        var concept = await latents.ExampleAsync(call, name, sets);
        await store.SaveAsync(call.Session, concept, cancellation);
        return new SavedConcept(call.Model, call.Version, concept.Name, concept.Separability, concept.Examples);
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
