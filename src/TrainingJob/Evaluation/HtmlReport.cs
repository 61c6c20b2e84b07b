using System.Globalization;
using System.Net;
using System.Text;
using VaeFunctions.Data;
using VaeFunctions.Imaging;
using VaeFunctions.Models;
using VaeFunctions.Registry;
using VaeFunctions.Training;

namespace VaeFunctions.Evaluation;

/// <summary>A training on one self-contained page: what was trained on what, the losses, and what the model draws.</summary>
public static class HtmlReport
{
    const string Style = """
        :root {
          color-scheme: light dark;
          --paper: light-dark(#f6f1e6, #12131a); --card: light-dark(#fffcf5, #1c1e28);
          --ink: light-dark(#251f19, #f3ede2); --soft: light-dark(#6d6355, #a3a0a6); --line: light-dark(#ddd2be, #343847);
          --a: light-dark(#245f9e, #86b8f0); --b: light-dark(#c21f30, #ff6468);
        }
        * { box-sizing: border-box; }
        body {
          font: 16px/1.5 ui-rounded, "SF Pro Rounded", Nunito, "Segoe UI", system-ui, sans-serif;
          color: var(--ink); background: var(--paper);
          max-width: 66rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem;
        }
        h1 { font-size: 2.4rem; line-height: 1.1; margin: 0; } h2 { margin: 3rem 0 1rem; } h3 { margin: 2rem 0 .5rem; }
        .lead { font-size: 1.15rem; max-width: 46rem; } .soft, figcaption, dt { color: var(--soft); } b { color: var(--ink); }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.2rem; margin: 1.5rem 0; }
        dd { margin: 0; overflow-wrap: anywhere; }
        figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 16px; padding: 1rem; }
        figcaption { font-size: .92rem; margin-bottom: .7rem; }
        .pictures, .curves {
          display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); align-items: start;
        }
        .curves { grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr)); }
        svg { width: 100%; height: auto; display: block; } svg text { font: 13px system-ui, sans-serif; fill: var(--soft); }
        .grid { stroke: var(--line); } polyline { fill: none; stroke-width: 2.5; stroke-linejoin: round; }
        polyline.train { stroke: var(--a); } svg text.train, circle.train { fill: var(--a); }
        polyline.test { stroke: var(--b); } svg text.test, circle.test { fill: var(--b); }
        svg .bar { fill: var(--a); } svg .unused { opacity: .35; }
        img { width: 100%; image-rendering: pixelated; border-radius: 8px; display: block; }
        pre {
          overflow-x: auto; padding: 1rem; border: 1px solid var(--line); border-radius: 12px;
          background: var(--card); font-size: .85rem;
        }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin-top: 1rem; }
        td, th {
          text-align: right; padding: .3rem .8rem; border-bottom: 1px solid var(--line); vertical-align: top; font-weight: 400;
        }
        tr:first-child th { color: var(--soft); } .measures th, .measures td:last-child { text-align: left; }
        .measures th { padding-left: 0; color: var(--ink) !important; } .measures td:last-child { color: var(--soft); }
        small { display: block; color: var(--soft); font-family: ui-monospace, monospace; font-size: .75rem; }
        details { margin-top: 2.5rem; } summary { font-size: 1.3rem; font-weight: 700; cursor: pointer; }
        """;

    public static string Write(string name, string version, Recipe recipe, DataSplit data, Vae model,
        IReadOnlyList<EpochMetrics> history,
        ModelEvaluation evaluation, Image? samples, Image reconstructions)
    {
        var last = recipe.Published(history);
        var cautions = TooFew(data.Test.Count) + TooShort(recipe, data.Train.Count, history.Count);
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{Text(name)} {Text(version)}</title>
            <style>{Style}</style></head><body>
            <h1>{Text(name)}</h1>
            <p class="soft">{Text(version)}</p>
            <p class="lead">{Plural.Of(model.LatentSize, "number stands", "numbers stand")} for an image of {model.Image}. After
            {Plural.Of(last.Epoch, "epoch")}, test images, which the model was not trained on, have a loss of
            <b>{last.Test.Loss:G5}</b> each: {InWords(last.Test)}.{cautions}</p>
            <dl>
            <dt>Data</dt><dd>{Text(data.Source)}: {Plural.Of(data.Train.Count, "image")} to train on,
            {data.Test.Count:N0} to test with</dd>
            <dt>Recipe</dt><dd>{Text(recipe.Description)}</dd>
            <dt>Model</dt><dd>{Text(recipe.Model.Kind)}, {model.Parameters.WeightCount:N0} weights</dd>
            </dl>
            <div class="pictures">
            """);
        page.Append(Figure("Again", "Test images, each row above what the model makes of it again.", reconstructions));
        if (samples is not null)
            page.Append(Figure("New", "Images that the model draws from random numbers.", samples));
        page.Append("</div><h2>How it learned</h2><div class=\"curves\">");
        page.Append(EpochChart.Draw("Loss.", $"What training lowers, per image: {last.Test.Formula}.", history,
            ("training", "train", m => m.Train.Loss), ("test", "test", m => m.Test.Loss)));
        page.Append(EpochChart.Draw("Reconstruction.", "How much the images that come back differ.", history,
            ("training", "train", m => m.Train.MeanReconstruction), ("test", "test", m => m.Test.MeanReconstruction)));
        page.Append(EpochChart.Draw("KL to the prior.", "How much the latents tell of an image, in nats.", history,
            ("training", "train", m => m.Train.MeanKl), ("test", "test", m => m.Test.MeanKl)));
        if (last.Test.Perceptual is not null)
            page.Append(EpochChart.Draw("Perceptual distance.", "How different what comes back looks to a pretrained network.",
                history, ("training", "train", m => m.Train.MeanPerceptual ?? double.NaN),
                ("test", "test", m => m.Test.MeanPerceptual ?? double.NaN)));
        page.Append("</div>").Append(EvaluationSection.Write(evaluation));
        page.Append("<details><summary>Every epoch</summary><div class=\"scroll\"><table><tr><th>");
        page.AppendJoin("</th><th>", MetricsFile.Header.Select(title => title.Replace('_', ' '))).Append("</th></tr>");
        foreach (var metrics in history)
            page.Append("<tr><td>").AppendJoin("</td><td>", MetricsFile.Cells(metrics)).Append("</td></tr>");
        page.Append(CultureInfo.InvariantCulture, $"</table></div><p class=\"soft\">{Text(last.Test.Formula)}.</p></details>"
            + $"<details><summary>The whole recipe</summary><pre>{Text(recipe.ToJson())}</pre>"
            + $"<p class=\"soft\">Fingerprint of the data: {Text(data.Fingerprint)}</p></details>"
            + $"</body></html>\n");
        return page.ToString();
    }

    /// <summary>What makes up the loss of an image, each part with what it stands for; together they are the loss.</summary>
    internal static string InWords(Measure measure) => measure.Bound is not null
        ? string.Create(CultureInfo.InvariantCulture,
            $"the bound of several draws, of which each differs by {measure.MeanReconstruction:G4} from the image and tells "
            + $"{measure.MeanKl:G4} (KL)")
        : string.Join(", ", measure.Shares.Select(part => string.Create(CultureInfo.InvariantCulture, $"{part.Share:G5} for ")
            + part.Term switch
            {
                "reconstruction" => "what differs from the image",
                "KL" => "what its latents tell (KL)",
                _ => "how different it looks to a pretrained network (perceptual distance)",
            }));

    static string TooFew(int tests) => tests >= AnomalyCalibration.EnoughImages ? "" :
        $" <b>Figures of {Plural.Of(tests, "test image")} say little</b>; "
        + $"{AnomalyCalibration.EnoughImages} or more are enough to judge by.";

    static string TooShort(Recipe recipe, int images, int epochs)
    {
        var steps = (long)epochs * recipe.StepsOf(images);
        return recipe.Objective.Perceptual <= 0 || steps >= AutoRecipe.FewestSteps ? "" : string.Create(
            CultureInfo.InvariantCulture, $" <b>{Plural.Of(steps, "step teaches", "steps teach")} little about photographs</b>; "
                + $"{AutoRecipe.FewestSteps:N0} are the least: train for more epochs, or with more --minutes.");
    }

    static string Figure(string title, string words, Image image) =>
        $"<figure><figcaption><b>{title}.</b> {words}</figcaption><img alt=\"{words}\" src=\"data:image/png;base64,"
            + $"{Convert.ToBase64String(ImageCodec.EncodePng(image))}\"></figure>";

    static string Text(string text) => WebUtility.HtmlEncode(text);
}
