using VaeFunctions.Data;
using VaeFunctions.Evaluation;
using VaeFunctions.Registry;
using VaeFunctions.Tests.Training;

namespace VaeFunctions.Tests.Evaluation;

public sealed class StrangersTests
{
    /// <summary>Chequers, which no disc is like.</summary>
    static ImageDataset Chequers(int count) => new(new(8, 8, 1), [.. Enumerable.Range(0, count).Select(k =>
        Enumerable.Range(0, 64).Select(i => (i % 8 + i / 8) % 2 == 0 ? (byte)(200 + k) : (byte)20).ToArray())]);

    [Fact]
    public async Task Chequers_are_strangers_among_discs_and_other_discs_are_none()
    {
        using var folder = new TemporaryFolder();
        var (learner, _) = await TinyTraining.TrainAsync(
            new FolderBlobStore(folder.Path), TinyTraining.Recipe with { Epochs = 20 });
        var model = learner.Model;

        var strange = Of(DataSplit.Of(Chequers(30), Chequers(10), "chequers"));
        Assert.Equal(40, strange.Images);
        Assert.Equal(["error", "code", "joint"], strange.Auroc.Keys);
        Assert.InRange(strange.Auroc["error"], 0.99, 1);
        Assert.InRange(strange.Auroc["joint"], 0.99, 1);

        // Flat images come back well and have likely codes; what is strange is how little there is to see.
        var flat = new ImageDataset(new(8, 8, 1), [.. Enumerable.Range(0, 40).Select(i =>
            Enumerable.Repeat((byte)(20 + i), 64).ToArray())]);
        var simple = Of(DataSplit.Of(flat, flat, "flat"));
        Assert.InRange(simple.Auroc["joint"], 0.99, 1);
        Assert.True(simple.Auroc["error"] < 0.9 || simple.Auroc["code"] < 0.9, string.Join(", ", simple.Auroc));

        var alike = Of(DataSplit.Of(TinyTraining.Discs(100, 3), TinyTraining.Discs(60, 4), "discs"));
        Assert.All(alike.Auroc.Values, value => Assert.InRange(value, 0.35, 0.65));

        Strangers Of(DataSplit others) => Strangers.Of(model, TinyTraining.Data.Test, others, TinyTraining.Recipe);
    }
}
