using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;

namespace VaeFunctions.Serving;

/// <summary>The concepts of a model: those published with it, and those that people made from example images.</summary>
public sealed class ConceptsFunctions(ModelProvider models, RequestLatents latents, ConceptStore store)
{
    static readonly Field With = new("with", FieldType.Images, "Images that show the concept.");
    static readonly Field Without = new("without", FieldType.Images, "Images like them that do not.");
    static readonly Field[] Fields = [With, Without, Field.Label];

    [Function("Concepts")]
    [Describes("List the concepts of the serving version.")]
    public async Task<IActionResult> List(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "models/{model}/concepts")] HttpRequest request, string model, CancellationToken cancellation)
    {
        using var session = await models.LeaseAsync(request, model, cancellation);
        var concepts = await store.ListAsync(session, cancellation);
        return Answers.Json(new { session.Model, session.Version, concepts = concepts.Select(concept => new { concept.Name, concept.Unit, concept.Separability, concept.Examples }) });
    }

    [Function("SaveConcept")]
    [Describes("Make a concept from two sets of images and save it for the serving version.", Fields = nameof(Fields))]
    public async Task<IActionResult> Save(
        [HttpTrigger(AuthorizationLevel.Function, "put", Route = "models/{model}/concepts/{name}")] HttpRequest request, string model, string name, CancellationToken cancellation)
    {
        using var session = await models.LeaseAsync(request, model, cancellation);
        var content = await RequestContent.ReadAsync(request, Fields, cancellation);
        if (!content.Has(With) || !content.Has(Without))
            throw RequestContent.Missing(content.Has(With) ? Without : With);
        var sets = new JsonObject { ["with"] = content[With]?.DeepClone(), ["without"] = content[Without]?.DeepClone() };
        var concept = await latents.ExampleAsync(content, name, sets, session, cancellation);
        await store.SaveAsync(session, concept, cancellation);
        return Answers.Json(new { session.Model, session.Version, concept.Name, concept.Separability, concept.Examples });
    }
}
