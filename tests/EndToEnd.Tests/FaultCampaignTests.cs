using System.Text.Json;
using VaeFunctions.Bench.Faults;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests;

/// <summary>A round of the long campaign, <c>./vae bench faults</c>, and that its checks find what is lost, wrong or too
/// much.</summary>
public sealed class FaultCampaignTests : IDisposable
{
    const string Answer = "results/tiny/0001/00.png";

    readonly TemporaryFolder folder = new();

    FolderBlobStore Store => new(folder.Path);

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_round_of_faults_loses_nothing_and_answers_nothing_twice()
    {
        await using var campaign = Command.Start(
            Path.ChangeExtension(typeof(FaultsBench).Assembly.Location, null), "faults", "--minutes", "0", "--short");
        Assert.True(await campaign.WaitForExitAsync() == 0, campaign.Output);
        Assert.Matches(@"\n3 faults in 1 rounds .*; invariants broken: 0", campaign.Output);
    }

    [Fact]
    public async Task An_image_that_is_answered_rightly_lacks_nothing() =>
        Assert.Empty(await LackingAsync(_ => Task.CompletedTask));

    [Fact]
    public async Task An_image_without_a_result_is_found() =>
        Assert.Equal([$"{Answer}.json is missing"], await LackingAsync(store => store.DeleteAsync($"{Answer}.json")));

    [Fact]
    public async Task A_result_beside_a_rejection_is_found() =>
        Assert.Equal(["rejected/tiny/0001/00.png.json is an answer too many"],
            await LackingAsync(store => store.WriteAsync("rejected/tiny/0001/00.png.json", new("{}"))));

    [Fact]
    public async Task A_picture_that_another_version_decodes_is_found() =>
        Assert.Contains("not what r0001-a-2 decodes", Assert.Single(await LackingAsync(
            store => store.WriteAsync($"{Answer}.png", new(Picture.Of(1000).Png())))), StringComparison.Ordinal);

    [Fact]
    public async Task An_answer_to_a_content_that_was_replaced_is_found() =>
        Assert.Contains("of another content", Assert.Single(await LackingAsync(
            store => AnswerAsync(store, Picture.Of(1000), "\"an earlier one\""))), StringComparison.Ordinal);

    [Fact]
    public async Task A_latent_of_another_picture_is_found() =>
        Assert.Contains("its latent is", Assert.Single(await LackingAsync(
            async store => await AnswerAsync(store, Picture.Of(7), await DroppedAsync(store)))), StringComparison.Ordinal);

    /// <summary>Drops one image, answers it as the functions would, does something to that, and asks what is lacking.</summary>
    async Task<IReadOnlyList<string>> LackingAsync(Func<FolderBlobStore, Task> spoil)
    {
        var drops = new Drops(Store, "tiny", round: 1, count: 1, TimeSpan.Zero);
        await drops.DropAsync(0, broken: false, default);
        await AnswerAsync(Store, Picture.Of(1000), await DroppedAsync(Store));
        await Store.WriteAsync($"{Answer}.png", new(Picture.Of(1000).Brighter(2).Png()));
        await spoil(Store);
        return await drops.LackingAsync(default);
    }

    static async Task<string> DroppedAsync(FolderBlobStore store) =>
        (await store.TryReadAsync("inbox/tiny/0001/00.png", 1 << 20))!.ETag;

    static Task<string> AnswerAsync(FolderBlobStore store, Picture picture, string etag) => store.WriteAsync($"{Answer}.json",
        new(JsonSerializer.Serialize(new { version = "r0001-a-2", sourceETag = etag, latent = picture.Latent })));
}
