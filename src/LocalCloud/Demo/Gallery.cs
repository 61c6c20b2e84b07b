using System.Globalization;
using System.Net;
using System.Text;

namespace VaeFunctions.LocalCloud;

/// <summary>The demo's page: what was made, in pictures and two tables. It needs nothing but the files beside it.</summary>
static class Gallery
{
    public static string Page(DemoReport demo, DemoPictures pictures) => $$"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>VaeFunctions: {{Text(demo.Model)}}</title>
        <style>{{Style}}</style>
        </head>
        <body>
        <h1>A latent space, trained and served in {{demo.TotalSeconds:0}} seconds</h1>
        <p class="lead">A variational autoencoder (<code>{{Text(demo.Recipe)}}</code>) learned from {{demo.Images}} cartoon faces
        on {{demo.Cores}} CPU cores, was published to blob storage as version <code>{{Text(demo.Version)}}</code>, and served from
        functions. Every picture below came out of that storage or those functions.</p>
        <dl class="facts">
        {{Fact("test loss", Number(demo.TestLoss))}}
        {{Fact("epochs", $"{pictures.Metrics.Rows.Count}")}}
        {{Fact("dropped", $"{demo.Inbox.Dropped}")}}
        {{Fact("results", $"{demo.Inbox.Results}")}}
        {{Fact("rejected", $"{demo.Inbox.Rejected}")}}
        </dl>

        {{Remarkable(demo, pictures.Highlights)}}
        <h2>Faces that nobody drew</h2>
        <p>Each is decoded from random numbers: <code>POST /api/models/{{Text(demo.Model)}}/sample</code>. The same seed gives the
        same faces; the temperature scales how far from the average face they go.</p>
        <div class="grids">
        {{Each(pictures.Samples, grid => $"""
        <figure><img src="{Link(grid.File)}" alt="A grid of sampled faces">
        <figcaption>seed {grid.Seed},
        temperature {grid.Temperature.ToString("0.0", CultureInfo.InvariantCulture)}</figcaption></figure>
        """)}}
        </div>

        <h2>Before and after</h2>
        <p>Faces the model has never seen, squeezed through its latent space and drawn again: <code>POST
        /api/models/{{Text(demo.Model)}}/reconstruct</code>. Left the original, right what is left of it.</p>
        <div class="pairs">
        {{Each(pictures.Pairs, Picture)}}
        </div>

        <h2>The inbox</h2>
        <p>{{demo.Inbox.Dropped}} images were dropped into <code>inbox/{{Text(demo.Model)}}/</code>. Each came out in
        <code>results/{{Text(demo.Model)}}/</code> as a picture with a JSON file beside it (its latent, among others), or in
        <code>rejected/{{Text(demo.Model)}}/</code> with the reason.</p>
        <div class="pairs small">
        {{Each(pictures.Results, pair => $"""<a href="{Link(Path.ChangeExtension(pair.After, ".json"))}">{Picture(pair)}</a>""")}}
        </div>
        {{Each(pictures.Rejected, pair => $"""
        <p class="rejected"><strong>{Text(pair.Key)}</strong> was rejected: {Text(pair.Value)}</p>
        """)}}

        <h2>Training</h2>
        <p>The loss is {{Text(demo.Loss)}}; the test images were kept apart.
        <a href="report.html">The report</a> has curves and pictures.</p>
        {{Losses(pictures.Metrics)}}

        <h2>Where the time went</h2>
        <table>
        <tr><th>stage</th><th>seconds</th></tr>
        {{Each(demo.Seconds, stage => $"<tr><td>{Text(stage.Key)}</td><td>{Number(stage.Value)}</td></tr>")}}
        <tr class="total"><td>total</td><td>{{Number(demo.TotalSeconds)}}</td></tr>
        </table>

        <h2>Go on</h2>
        <p>Play with this latent space: <code>./vae train {{Text(demo.Recipe)}}</code>, then
        <code>./vae explore {{Text(demo.Model)}}</code> opens a page with sliders, the map, your own pictures and journeys.
        In a terminal, this demo ends in it.</p>
        <p>This model goes with the demo; without --data, the first line makes it again.
        With images of your own, from the repository's folder:</p>
        <pre>./vae train {{Text(demo.Recipe)}} --data folder:PATH --model mine
        ./vae serve
        ./vae drop IMAGES… --model mine      # from another terminal</pre>
        </body>
        </html>
        """;

    /// <summary>What the latent space is good for, before all else.</summary>
    static string Remarkable(DemoReport demo, Highlights highlights) => $"""
        {Section(highlights.Glasses, "With glasses, and without", "Faces without glasses, and the same faces a step along "
            + "the direction that parts those with glasses from those without. Nobody told the model what glasses are: "
            + "it saw faces, and only afterwards which wear some.",
            "strips pairs")}
        {Section(highlights.Smiles, "The smile slider", "From −1.5 to 1.5 times the difference between those who smile "
            + $"and those who do not: <code>POST /api/models/{Text(demo.Model)}/edit</code>.", "strips")}
        <h2>A journey, and the land it goes through</h2>
        <p>Every point of the latent space is a face, so there is a way from any to any other. The map shows the training images,
        decoded from their latents, so that neighbours look alike.</p>
        <div class="travel">
        <figure><img src="{Link(highlights.Journey)}" alt="Faces turning into each other">
        <figcaption>From seed to seed and back: <code>POST
        /api/models/{Text(demo.Model)}/interpolate</code></figcaption></figure>
        <figure><img class="smooth" src="{Link(highlights.Map)}" alt="Thumbnails of training images on a disc">
        <figcaption>The map, as the explorer shows it</figcaption></figure>
        </div>

        <h2>Something is wrong here</h2>
        <p>What the model has not learned comes back wrong, and that can be measured:
        <code>POST /api/models/{Text(demo.Model)}/anomaly</code>.</p>
        <div class="grids">
        {Each(highlights.Findings, finding => $"""
            <figure><span class="pair"><img src="{Link(finding.File)}" alt="a face">
            <img src="{Link(finding.Overlay)}" alt="where it is strange"></span>
            <figcaption><b>{Text(finding.Verdict)}</b>{Share(finding.Percentile)}</figcaption></figure>
            """)}
        </div>
        """;

    static string Section(IReadOnlyList<string> strips, string title, string words, string style) => strips.Count == 0 ? "" : $"""
        <h2>{title}</h2>
        <p>{words}</p>
        <div class="{style}">
        {Each(strips, strip => $"""<img src="{Link(strip)}" alt="{title}">""")}
        </div>
        """;

    const string Style = """
        :root {
          color-scheme: light dark;
          --paper: light-dark(#f6f1e6, #12131a); --card: light-dark(#fffcf5, #1c1e28); --ink: light-dark(#251f19, #f3ede2);
          --soft: light-dark(#6d6355, #a3a0a6); --line: light-dark(#ddd2be, #343847); --accent: light-dark(#c21f30, #ff6468);
        }
        body {
          font: 16px/1.5 ui-rounded, "SF Pro Rounded", Nunito, "Segoe UI", system-ui, sans-serif;
          color: var(--ink); background: var(--paper);
          max-width: 66rem; margin: 0 auto; padding: 3rem 1.25rem 5rem;
        }
        h1 { font-size: clamp(2rem, 5vw, 3.2rem); line-height: 1.08; margin: 0 0 .8rem; max-width: 18ch; text-wrap: balance; }
        h2 { font-size: 1.6rem; margin: 4rem 0 .4rem; } p { max-width: 46rem; }
        .lead { font-size: 1.15rem; } b { color: var(--accent); } a { color: inherit; }
        .facts { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; margin: 1.5rem 0; }
        .facts div { display: flex; flex-direction: column-reverse; }
        .facts dd { margin: 0; font-size: 1.75rem; font-weight: 700; }
        .facts dt, figcaption { color: var(--soft); font-size: .9rem; } figcaption { margin-top: .4rem; }
        img { image-rendering: pixelated; display: block; } img.smooth { image-rendering: auto; }
        figure { margin: 0; }
        .strips { display: grid; gap: .6rem; }
        .strips.pairs { grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: 1rem; }
        .strips img, .travel img, .grids img, .pair { width: 100%; border-radius: 16px; }
        .travel { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); gap: 1.5rem; align-items: center; }
        .grids { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(22rem, 100%), 1fr)); gap: 1.5rem; }
        .pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: 1rem; }
        .pairs.small { grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); gap: .5rem; }
        .pair { display: flex; background: var(--card); border-radius: 12px; overflow: hidden; }
        .pair img { width: 50%; border-radius: 0; }
        .rejected { border-left: 4px solid var(--accent); padding-left: .75rem; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
        th, td { text-align: right; padding: .25rem .9rem; border-bottom: 1px solid var(--line); }
        th:first-child, td:first-child { text-align: left; padding-left: 0; }
        th { color: var(--soft); font-weight: 500; }
        .total { font-weight: 600; }
        pre { background: var(--card); border: 1px solid var(--line); padding: 1rem; border-radius: 12px; overflow-x: auto; }
        code { font-size: .9em; overflow-wrap: anywhere; }
        @media (max-width: 640px) { .travel { grid-template-columns: 1fr; } h2 { margin-top: 3rem; } }
        """;

    static string Picture(Pair pair) => $"""
        <span class="pair"><img src="{Link(pair.Before)}" alt="original" loading="lazy">
        <img src="{Link(pair.After)}" alt="reconstruction" loading="lazy"></span>
        """;

    static string Fact(string name, string value) => $"<div><dt>{name}</dt><dd>{value}</dd></div>";

    static string Losses(Metrics metrics)
    {
        string[] columns = ["epoch", "train_loss", "test_loss", "test_reconstruction", "test_kl", "images_per_second"];
        var header = Each(columns, column => $"<th>{column.Replace('_', ' ')}</th>");
        var rows = Each(Enumerable.Range(0, metrics.Rows.Count), row =>
            $"<tr>{Each(columns, column => $"<td>{Cell(row, column)}</td>")}</tr>\n");
        return $"""<div class="scroll"><table><tr>{header}</tr>{rows}</table></div>""";

        string Cell(int row, string column) =>
            column == "epoch" ? $"{metrics[row, column]:0}" : Number(metrics[row, column]);
    }

    static string Share(double? percentile) => percentile is { } share
        ? $": it comes back worse than {(share < 1 ? $"{share * 100:0.#} %" : "all")} of the test images"
        : "";

    static string Each<T>(IEnumerable<T> items, Func<T, string> html) =>
        items.Aggregate(new StringBuilder(), (page, item) => page.Append(html(item)).Append('\n')).ToString();

    static string Number(double value) =>
        value.ToString(value >= 100 ? "0" : value >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture);

    static string Text(string text) => WebUtility.HtmlEncode(text);

    static string Link(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
}
