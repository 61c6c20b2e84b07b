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
        <p class="lead">A variational autoencoder (<code>{{Text(demo.Recipe)}}</code>) learned from {{demo.Images}} cartoon faces on {{demo.Cores}} CPU cores, was
        published to blob storage as version <code>{{Text(demo.Version)}}</code>, and served from functions. Every picture below came out of
        that storage or those functions.</p>
        <dl class="facts">
        {{Fact("test loss", Number(demo.TestLoss))}}
        {{Fact("epochs", $"{pictures.Metrics.Rows.Count}")}}
        {{Fact("dropped", $"{demo.Inbox.Dropped}")}}
        {{Fact("results", $"{demo.Inbox.Results}")}}
        {{Fact("rejected", $"{demo.Inbox.Rejected}")}}
        </dl>

        <h2>Faces that nobody drew</h2>
        <p>Each is decoded from random numbers: <code>POST /api/models/{{Text(demo.Model)}}/sample</code>. The same seed gives the same faces;
        the temperature scales how far from the average face they go.</p>
        <div class="grids">
        {{Each(pictures.Samples, grid => $"""
        <figure><img src="{Link(grid.File)}" alt="A grid of sampled faces">
        <figcaption>seed {grid.Seed}, temperature {grid.Temperature.ToString("0.0", CultureInfo.InvariantCulture)}</figcaption></figure>
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
        {{Each(pictures.Rejected, pair => $"""<p class="rejected"><strong>{Text(pair.Key)}</strong> was rejected: {Text(pair.Value)}</p>""")}}

        <h2>Training</h2>
        <p>The loss is {{Text(demo.Loss)}}; the test images were kept apart. <a href="report.html">The report</a> has curves and pictures.</p>
        {{Losses(pictures.Metrics)}}

        <h2>Where the time went</h2>
        <table>
        <tr><th>stage</th><th>seconds</th></tr>
        {{Each(demo.Seconds, stage => $"<tr><td>{Text(stage.Key)}</td><td>{Number(stage.Value)}</td></tr>")}}
        <tr class="total"><td>total</td><td>{{Number(demo.TotalSeconds)}}</td></tr>
        </table>

        <h2>Go on</h2>
        <p>This model goes with the demo; without --data, the first line makes it again. With images of your own, from the repository's folder:</p>
        <pre>./vae train {{Text(demo.Recipe)}} --data folder:PATH --model mine
        ./vae serve
        ./vae drop IMAGES… --model mine      # from another terminal</pre>
        </body>
        </html>
        """;

    const string Style = """
        :root { color-scheme: light dark; --line: #8884; --soft: #888; --card: #8881; }
        body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 3rem auto; padding: 0 1.25rem; }
        h1 { font-size: 2rem; line-height: 1.2; margin-bottom: .5rem; }
        h2 { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1.5rem; }
        .lead { font-size: 1.1rem; }
        .facts { display: flex; flex-wrap: wrap; gap: 2.5rem; margin: 1.5rem 0; }
        .facts div { display: flex; flex-direction: column-reverse; }
        .facts dd { margin: 0; font-size: 1.75rem; font-weight: 600; }
        .facts dt, figcaption { color: var(--soft); font-size: .9rem; }
        img { image-rendering: pixelated; display: block; }
        figure { margin: 0; }
        .grids { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(22rem, 100%), 1fr)); gap: 1.5rem; }
        .grids img { width: 100%; border-radius: 6px; }
        .pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: 1rem; }
        .pairs.small { grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); gap: .5rem; }
        .pair { display: flex; background: var(--card); border-radius: 6px; overflow: hidden; }
        .pair img { width: 50%; }
        .rejected { border-left: 3px solid #d33; padding-left: .75rem; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
        th, td { text-align: right; padding: .25rem .9rem; border-bottom: 1px solid var(--line); }
        th:first-child, td:first-child { text-align: left; padding-left: 0; }
        th { color: var(--soft); font-weight: 500; }
        .total { font-weight: 600; }
        pre { background: var(--card); padding: 1rem; border-radius: 6px; overflow-x: auto; }
        """;

    static string Picture(Pair pair) => $"""
        <span class="pair"><img src="{Link(pair.Before)}" alt="original" loading="lazy"><img src="{Link(pair.After)}" alt="reconstruction" loading="lazy"></span>
        """;

    static string Fact(string name, string value) => $"<div><dt>{name}</dt><dd>{value}</dd></div>";

    static string Losses(Metrics metrics)
    {
        string[] columns = ["epoch", "train_loss", "test_loss", "test_reconstruction", "test_kl", "images_per_second"];
        var header = Each(columns, column => $"<th>{column.Replace('_', ' ')}</th>");
        var rows = Each(Enumerable.Range(0, metrics.Rows.Count), row =>
            $"<tr>{Each(columns, column => $"<td>{(column == "epoch" ? $"{metrics[row, column]:0}" : Number(metrics[row, column]))}</td>")}</tr>\n");
        return $"""<div class="scroll"><table><tr>{header}</tr>{rows}</table></div>""";
    }

    static string Each<T>(IEnumerable<T> items, Func<T, string> html) =>
        items.Aggregate(new StringBuilder(), (page, item) => page.Append(html(item)).Append('\n')).ToString();

    static string Number(double value) => value.ToString(value >= 100 ? "0" : value >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture);

    static string Text(string text) => WebUtility.HtmlEncode(text);

    static string Link(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
}
