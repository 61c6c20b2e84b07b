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
          --ink: light-dark(#1c2430, #e6e9ee); --soft: light-dark(#687386, #98a2b3); --line: light-dark(#dfe3ea, #343b47);
          --a: light-dark(#2563c9, #7fb0ff); --b: light-dark(#c2410c, #ff9d66);
        }
        body {
          font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: light-dark(#fff, #14181f);
          max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
        }
        h1 { margin-bottom: 0; } h1 + p { color: var(--soft); margin-top: 0; }
        figure { margin: 1.5rem 0; } figcaption { color: var(--soft); font-size: .9rem; margin-bottom: .3rem; }
        svg { width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: var(--soft); }
        .grid { stroke: var(--line); } polyline { fill: none; stroke-width: 2; }
        polyline.train { stroke: var(--a); } svg text.train, circle.train { fill: var(--a); }
        polyline.test { stroke: var(--b); } svg text.test, circle.test { fill: var(--b); }
        svg .bar { fill: var(--a); }
        img { max-width: 100%; image-rendering: pixelated; }
        pre { overflow-x: auto; padding: 1rem; border: 1px solid var(--line); border-radius: 6px; font-size: .85rem; }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
        td, th { text-align: right; padding: .2rem .8rem; border-bottom: 1px solid var(--line); }
        """;

    public static string Write(string name, string version, Recipe recipe, DataSplit data, Vae model,
        IReadOnlyList<EpochMetrics> history,
        ModelEvaluation evaluation, Image? samples, Image reconstructions)
    {
        var last = recipe.Published(history);
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{Text(name)} {Text(version)}</title>
            <style>{Style}</style></head><body>
            <h1>{Text(name)}</h1>
            <p>{Text(version)} · {Text(recipe.Description)}</p>
            <p>{model.Parameters.WeightCount:N0} weights, {model.LatentSize} latents, images {model.Image}; trained on
            {data.Train.Count:N0} and tested on {data.Test.Count:N0} images of {Text(data.Source)}. After {last.Epoch} epochs
            the test loss is <b>{last.Test.Loss:G5}</b> per image; reconstruction {last.Test.MeanReconstruction:F2},
            KL {last.Test.MeanKl:F2}.{TooFew(data.Test.Count)}</p>
            """);
        page.Append(EpochChart.Draw("Loss per image (reconstruction + KL)", history,
            ("training", "train", m => m.Train.Loss), ("test", "test", m => m.Test.Loss)));
        page.Append(EpochChart.Draw("Reconstruction", history, ("training", "train", m => m.Train.MeanReconstruction),
            ("test", "test", m => m.Test.MeanReconstruction)));
        page.Append(EpochChart.Draw("KL to the prior, in nats", history, ("training", "train", m => m.Train.MeanKl),
            ("test", "test", m => m.Test.MeanKl)));
        page.Append(Figure("Test images, each row above its reconstructions", reconstructions));
        if (samples is not null) page.Append(Figure("Samples from the prior", samples));
        page.Append(EvaluationSection.Write(evaluation));
        page.Append("<h2>Epochs</h2><div class=\"scroll\"><table><tr><th>");
        page.AppendJoin("</th><th>", MetricsFile.Header.Select(title => title.Replace('_', ' '))).Append("</th></tr>");
        foreach (var metrics in history)
            page.Append("<tr><td>").AppendJoin("</td><td>", MetricsFile.Cells(metrics)).Append("</td></tr>");
        page.Append(CultureInfo.InvariantCulture, $"</table></div><h2>Recipe</h2><pre>{Text(recipe.ToJson())}</pre><p>Data "
            + $"fingerprint {Text(data.Fingerprint)}</p></body></html>\n");
        return page.ToString();
    }

    static string TooFew(int tests) => tests >= AnomalyCalibration.EnoughImages ? "" :
        $" <b>Figures of {tests:N0} test images say little</b>; {AnomalyCalibration.EnoughImages} or more are enough to judge by.";

    static string Figure(string caption, Image image) =>
        $"<figure><figcaption>{caption}</figcaption><img alt=\"{caption}\" src=\"data:image/png;base64,"
            + $"{Convert.ToBase64String(ImageCodec.EncodePng(image))}\"></figure>";

    static string Text(string text) => WebUtility.HtmlEncode(text);
}
