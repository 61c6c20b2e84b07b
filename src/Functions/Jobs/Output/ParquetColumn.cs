using Parquet;
using Parquet.Schema;

namespace VaeFunctions.Serving;

/// <summary>A column of a job's Parquet files.</summary>
abstract class ParquetColumn(Parquet.Schema.Field schema)
{
    public Parquet.Schema.Field Schema => schema;

    /// <summary>Whether it has something to say of a result.</summary>
    public abstract bool Holds(SliceRow row);

    public abstract Task WriteAsync(ParquetRowGroupWriter group, IReadOnlyList<SliceRow> rows, CancellationToken cancellation);
}

sealed class TextColumn(string name, Func<SliceRow, string?> value, bool mayLack = false)
    : ParquetColumn(new DataField<string>(name, nullable: mayLack))
{
    public override bool Holds(SliceRow row) => value(row) is not null;

    public override Task WriteAsync(ParquetRowGroupWriter group, IReadOnlyList<SliceRow> rows, CancellationToken cancellation) =>
        group.WriteAsync((DataField)Schema, rows.Select(value).ToArray()!);
}

sealed class NumberColumn<T>(string name, Func<SliceRow, T?> value, bool mayLack = false)
    : ParquetColumn(mayLack ? new DataField<T?>(name) : new DataField<T>(name)) where T : struct
{
    public override bool Holds(SliceRow row) => value(row) is not null;

    public override Task WriteAsync(ParquetRowGroupWriter group, IReadOnlyList<SliceRow> rows, CancellationToken cancellation)
    {
        var column = (DataField)Schema;
        return mayLack ? group.WriteAsync<T>(column, rows.Select(value).ToArray(), cancellationToken: cancellation)
            : group.WriteAsync<T>(column, rows.Select(row => value(row)!.Value).ToArray(), cancellationToken: cancellation);
    }
}

/// <summary>A list of as many numbers in each row.</summary>
sealed class FloatsColumn(string name, Func<SliceRow, float[]?> value)
    : ParquetColumn(new ListField(name, new DataField<float>("element")))
{
    public override bool Holds(SliceRow row) => value(row) is not null;

    public override Task WriteAsync(ParquetRowGroupWriter group, IReadOnlyList<SliceRow> rows, CancellationToken cancellation)
    {
        var item = (DataField)((ListField)Schema).Item;
        float[] numbers = [.. rows.SelectMany(row => value(row)!)];
        int[] there = new int[numbers.Length], begins = new int[numbers.Length];
        Array.Fill(there, item.MaxDefinitionLevel);
        // A list's first number is marked 0, which begins a row, and the others 1.
        Array.Fill(begins, 1);
        for (var row = 0; row < rows.Count; row++) begins[row * (numbers.Length / rows.Count)] = 0;
        return group.WriteAllPartsAsync<float>(item, numbers, there.AsMemory(), begins.AsMemory(), cancellation);
    }
}
