using Parquet;
using Parquet.Schema;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>An Apache Parquet file for each slice, a row an image, compressed by Zstandard: pandas, DuckDB and Polars read all of a
/// folder's as one table.</summary>
sealed class ParquetOutput(Job job, int slice, IBlobStore store) : SliceOutput(job, slice, store, ".parquet")
{
    readonly DataField
        name = new DataField<string>("name", nullable: false),
        source = new DataField<string>("source", nullable: false),
        model = new DataField<string>("model", nullable: false),
        version = new DataField<string>("version", nullable: false),
        label = new DataField<string>("label"),
        originalSize = new DataField<string>("original_size", nullable: false),
        error = new DataField<double>("error"),
        percentile = new DataField<double?>("percentile"),
        verdict = new DataField<string>("verdict", nullable: false);

    protected override async Task<BinaryData> PackAsync(
        IReadOnlyList<(JobImage Image, JobResult Result, byte[]? Png)> results, CancellationToken cancellation)
    {
        var latent = ListOf("latent", results[0].Result.Latent);
        var logVariance = ListOf("log_variance", results[0].Result.LogVariance);
        Parquet.Schema.Field?[] columns =
            [name, source, model, version, label, originalSize, error, percentile, verdict, latent, logVariance];
        var content = new MemoryStream();
        var options = new ParquetOptions { CompressionMethod = CompressionMethod.Zstd };
        await using (var file = await ParquetWriter.CreateAsync(new(columns.OfType<Parquet.Schema.Field>()), content, options, cancellationToken: cancellation))
        {
            using var rows = file.CreateRowGroup();
            await Text(name, row => Job.NameOf(row.Image));
            await Text(source, row => row.Image.Path);
            await Text(model, row => row.Result.Model);
            await Text(version, row => row.Result.Version);
            await Text(label, row => row.Result.Label);
            await Text(originalSize, row => row.Result.OriginalSize);
            await rows.WriteAsync<double>(error, All(row => row.Result.Error), cancellationToken: cancellation);
            await rows.WriteAsync<double>(percentile, All(row => row.Result.Percentile), cancellationToken: cancellation);
            await Text(verdict, row => row.Result.Verdict);
            await Floats(latent, row => row.Latent!);
            await Floats(logVariance, row => row.LogVariance!);
            rows.CompleteValidate();

            T[] All<T>(Func<(JobImage Image, JobResult Result, byte[]? Png), T> value) => [.. results.Select(value)];

            Task Text(DataField column, Func<(JobImage Image, JobResult Result, byte[]? Png), string?> value) =>
                rows.WriteAsync(column, All(value)!);

            // A list's first number is marked 0, which begins a row, and the others 1.
            Task Floats(ListField? column, Func<JobResult, float[]> value)
            {
                if (column?.Item is not DataField item)
                    return Task.CompletedTask;
                float[] numbers = [.. results.SelectMany(row => value(row.Result))];
                int[] there = new int[numbers.Length], begins = new int[numbers.Length];
                Array.Fill(there, item.MaxDefinitionLevel);
                Array.Fill(begins, 1);
                for (var row = 0; row < results.Count; row++) begins[row * (numbers.Length / results.Count)] = 0;
                return rows.WriteAllPartsAsync<float>(item, numbers, there.AsMemory(), begins.AsMemory(), cancellation);
            }
        }
        return new(content.GetBuffer().AsMemory(0, (int)content.Length));
    }

    static ListField? ListOf(string name, float[]? example) =>
        example is null ? null : new(name, new DataField<float>("element"));
}
