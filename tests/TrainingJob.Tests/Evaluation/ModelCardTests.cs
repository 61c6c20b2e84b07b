using System.Text.Json;
using VaeFunctions.Data;
using VaeFunctions.Evaluation;
using VaeFunctions.Models;
using VaeFunctions.Registry;
using VaeFunctions.Tests.Training;

namespace VaeFunctions.Tests.Evaluation;

public sealed class ModelCardTests
{
    static string Card(Func<Manifest, Manifest>? change = null, string source = "folder:discs", int test = 30)
    {
        var recipe = TinyTraining.Recipe with { Description = "Discs <of> light." };
        var data = DataSplit.Of(TinyTraining.Discs(100, 1), TinyTraining.Discs(test, 2), source);
        var manifest = new Manifest
        {
            Model = "discs",
            Version = "20260102T030405Z",
            Kind = "conv-vae",
            Created = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
            Image = new(8, 8, 1),
            LatentSize = 3,
            Loss = "some",
            Metrics = new Dictionary<string, double> { [Manifest.TestLoss] = 12.34567, ["psnr_db"] = 20.5, ["epochs"] = 7 },
            Recipe = JsonElement.Parse("{}"),
            Data = new(source, "abc", 100, test),
        };
        return ModelCard.Write(change?.Invoke(manifest) ?? manifest, recipe, data, recipe.Model.Build());
    }

    [Fact]
    public void A_card_says_what_the_model_is_of_what_data_how_good_and_how_to_load_it()
    {
        var card = Card();
        foreach (var text in (string[])["# `discs`, version 20260102T030405Z", "for images of 8×8, grey. Discs &lt;of> light.",
            "on 2026-01-02 for 7 epochs", "100 images to train on and 30 to test with, from `folder:discs`",
            "| `test_loss` | 12.346 |", "| `psnr_db` | 20.5 |", "too few to judge by", "np.random.randn(16, 3)",
            "`[N, 8, 8, 1]`"])
            Assert.Contains(text, card, StringComparison.Ordinal);
        foreach (var part in (string[])["## Data", "## Measures", "## What it is for", "## Limits", "## How to load it"])
            Assert.Contains(part + "\n", card, StringComparison.Ordinal);
        Assert.DoesNotContain("ssim", card, StringComparison.Ordinal); // it was not measured
    }

    [Fact]
    public void A_card_says_what_latents_are_drawn_from()
    {
        var card = Card(manifest => manifest with
        {
            Prior = Prior.Fitted,
            PriorComparison = new("mixture", 90, 10, new Dictionary<string, double> { ["gaussian"] = -5, ["mixture"] = -4.25 }),
        });
        Assert.Contains("a mixture that was fitted to the codes of 90 training images", card, StringComparison.Ordinal);
        Assert.Contains("gaussian -5.00, mixture -4.25", card, StringComparison.Ordinal);
        Assert.Contains("InferenceSession(\"prior.onnx\")", card, StringComparison.Ordinal);
        Assert.Contains("nothing says which codes are likely",
            Card(manifest => manifest with { Prior = Prior.None }), StringComparison.Ordinal);
    }

    [Fact]
    public void A_card_says_which_concepts_mean_something()
    {
        Registry.ConceptDescription[] concepts = [new("hat", 0.47, 90), new("smile", 0.981, 1200), new("wink", null, 9)];
        var card = Card(manifest => manifest with { Concepts = concepts });
        Assert.Contains("""
            | `smile` | 0.981 | 1,200 images |  |
            | `hat` | 0.470 | 90 images | hardly better than chance: an edit by it means little |
            | `wink` |  | 9 images | too few images to judge it by |
            """, card, StringComparison.Ordinal);
        Assert.DoesNotContain("## Concepts", Card(), StringComparison.Ordinal);
    }

    [Fact]
    public void Names_cannot_write_into_the_card()
    {
        var card = Card(source: "folder:a`b\n# Mine\n<script>");
        Assert.Contains("`folder:a'b # Mine &lt;script>`", card, StringComparison.Ordinal);
        Assert.DoesNotContain("\n# Mine", card, StringComparison.Ordinal);
    }
}
