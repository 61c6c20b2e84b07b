using System.IO.Compression;
using Parquet;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>An Apache Parquet file for each slice, a row a result, compressed by Zstandard: pandas, DuckDB and Polars read all of
/// a folder's as one table.</summary>
sealed class ParquetOutput(Job job, int slice, IBlobStore store) : SliceOutput(job, slice, store, ".parquet")
{
    // Made anew for every file: Parquet.Net writes each field's levels into the field itself when a schema is made of it, so
    // that slices which are packed at the same time must not share fields.
    static ParquetColumn[] Always =>
    [
        new TextColumn("name", row => row.Name), new TextColumn("model", row => row.Result.Model),
        new TextColumn("version", row => row.Result.Version), new TextColumn("label", row => row.Result.Label, mayLack: true),
    ];

    static ParquetColumn[] OfJudged =>
    [
        new NumberColumn<double>("error", row => row.Result.Error),
        new NumberColumn<double>("percentile", row => row.Result.Percentile, mayLack: true),
        new NumberColumn<double>("code_score", row => row.Result.CodeScore, mayLack: true),
        new NumberColumn<double>("code_percentile", row => row.Result.CodePercentile, mayLack: true),
        new TextColumn("verdict", row => row.Result.Verdict),
        new TextColumn("strangest", row => row.Result.Strangest, mayLack: true),
    ];

    static ParquetColumn[] OfSome =>
    [
        new TextColumn("source", row => row.Result.Source), new TextColumn("original_size", row => row.Result.OriginalSize),
        new NumberColumn<long>("seed", row => row.Result.Seed),
        new NumberColumn<float>("strength", row => row.Result.Strength),
        new FloatsColumn("latent", row => row.Result.Latent),
        new FloatsColumn("log_variance", row => row.Result.LogVariance),
    ];

    protected override bool TakesPictures => false;

    protected override async Task<BinaryData> PackAsync(IReadOnlyList<SliceRow> rows, CancellationToken cancellation)
    {
        // An operation says the same of every result, so that all files of a job have the same columns.
        var first = rows[0];
        ParquetColumn[] columns =
            [.. Always, .. first.Result.Error is null ? [] : OfJudged, .. OfSome.Where(column => column.Holds(first))];
        var content = new MemoryStream();
        var options = new ParquetOptions
        {
            CompressionMethod = CompressionMethod.Zstd,
            CompressionLevel = CompressionLevel.Fastest, // higher levels pack latents no smaller and take a third of a job's time
        };
        await using (var file = await ParquetWriter.CreateAsync(
            new(columns.Select(column => column.Schema)), content, options, cancellationToken: cancellation))
        {
            using var group = file.CreateRowGroup();
            foreach (var column in columns)
                await column.WriteAsync(group, rows, cancellation);
            group.CompleteValidate();
        }
        return new(content.GetBuffer().AsMemory(0, (int)content.Length));
    }
}
