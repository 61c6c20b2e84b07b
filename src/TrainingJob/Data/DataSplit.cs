using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace VaeFunctions.Data;

/// <summary>What is trained on, and what the result is judged by.</summary>
/// <param name="Source">As it was asked for, such as <c>folder:pictures</c>.</param>
/// <param name="Fingerprint">
/// SHA-256 over shapes, pixels and labels, in hexadecimal: another one means that the data changed.
/// </param>
public sealed record DataSplit(ImageDataset Train, ImageDataset Test, string Source, string Fingerprint)
{
    public static DataSplit Of(ImageDataset train, ImageDataset test, string source) =>
        new(train, test, source, Hash(train, test));

    /// <summary>
    /// Sets a random part aside for testing: the same part for the same seed and number of images, but that of every label an
    /// image stays to train on. Both keep their order.
    /// </summary>
    /// <param name="log">Told of labels that have none all the same.</param>
    /// <exception cref="DataException">There are fewer than two images.</exception>
    public static DataSplit Random(
        ImageDataset all, string source, double testFraction, ulong seed, Action<string>? log = null)
    {
        if (all.Count < 2)
            throw new DataException(
                $"{source}: there is {all.Count} image; at least 2 are needed, one to train on and one to test with.");
        var tests = Math.Clamp((int)Math.Round(all.Count * testFraction), 1, all.Count - 1);
        var order = new RandomStream(seed, "split").Permutation(all.Count);
        tests = KeepLabels(all, order, tests, source, log);
        Array.Sort(order, 0, tests);
        Array.Sort(order, tests, order.Length - tests);
        return Of(all.Select(order.AsSpan(tests)), all.Select(order.AsSpan(0, tests)), source);
    }

    /// <summary>Takes back from the test images, which come first in the order, one of each label that would have none to train
    /// on, as long as one is left to test with.</summary>
    /// <returns>How many test images there are now.</returns>
    static int KeepLabels(ImageDataset all, int[] order, int tests, string source, Action<string>? log)
    {
        if (all.Labels is not { } labels) return tests;
        var trained = order.Skip(tests).Select(i => labels[i]).ToHashSet();
        for (var i = 0; i < tests && tests > 1; i++)
        {
            if (!trained.Add(labels[order[i]])) continue;
            tests--;
            (order[i], order[tests]) = (order[tests], order[i]);
            i--;
        }
        string[] without = [.. all.LabelNames.Where((_, label) => !trained.Contains(label))];
        if (without.Length > 0)
            log?.Invoke($"{source}: {string.Join(", ", without.Take(10))} "
                + $"{(without.Length == 1 ? "has its only image" : "have their only images")} among those to test with, so "
                + "nothing is learnt of it. Add images");
        return tests;
    }

    static string Hash(ImageDataset train, ImageDataset test)
    {
        string Reckon() => Hash([train, test], static (hash, part, i) => hash.AppendData(part.Pixels(i)));
        if (train.Rows is not DecodedRows rows || test.Rows != rows) return Reckon();
        // What was decoded before was hashed before: the same places and labels give the same hash.
        var outline = Hash([train, test], static (hash, part, i) => hash.AppendData(BitConverter.GetBytes(part.Place(i))));
        return DecodedCache.Remember(rows.Path, outline[..32], Reckon);
    }

    static string Hash(ImageDataset[] parts, Action<IncrementalHash, ImageDataset, int> append)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in parts)
        {
            Add(string.Create(
                CultureInfo.InvariantCulture, $"{part.Count} × {part.Shape}; {string.Join('/', part.LabelNames)}\n"));
            for (var i = 0; i < part.Count; i++) append(hash, part, i);
            if (part.Labels is not null) Add(string.Join(' ', part.Labels));
            if (!part.MeasuredAttributes) continue; // those of drawn images follow from the pixels' own seed
            Add(string.Join('/', part.AttributeNames));
            foreach (var value in part.Attributes!) hash.AppendData(BitConverter.GetBytes(value));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());

        void Add(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text));
    }
}
