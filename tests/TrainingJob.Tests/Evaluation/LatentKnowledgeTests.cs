using VaeFunctions.Cpu;
using VaeFunctions.Data;
using VaeFunctions.Evaluation;
using VaeFunctions.Tests.Training;

namespace VaeFunctions.Tests.Evaluation;

public sealed class LatentKnowledgeTests
{
    [Fact]
    public void Labels_that_come_to_one_name_for_a_concept_are_told_apart_by_a_number()
    {
        string[] names = ["A b", "a_b", "a  b"];
        var discs = TinyTraining.Discs(30, 5);
        var labelled = new ImageDataset(discs.Shape, [.. Enumerable.Range(0, 30).Select(i => discs.Image(i).Pixels)],
            [.. Enumerable.Range(0, 30).Select(i => i % 3)], names);
        var model = TinyTraining.Recipe.Model.Build(new CpuBackend(), 0);
        var concepts = LatentKnowledge.Concepts(model, labelled, CancellationToken.None);
        Assert.Equal(["a_b", "a_b-2", "a_b-3"], concepts.Select(concept => concept.Name));
    }
}
