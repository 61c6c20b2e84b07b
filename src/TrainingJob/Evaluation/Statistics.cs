namespace VaeFunctions.Evaluation;

/// <summary>Numbers about numbers.</summary>
public static class Statistics
{
    /// <summary>The area under the ROC curve: the probability that an anomaly's score is above an ordinary image's, where equal
    /// ones count half. (Hanley and McNeil 1982) It is Mann and Whitney's U from the sum of the anomalies' ranks.</summary>
    /// <exception cref="ArgumentException">There are no anomalies, or nothing else.</exception>
    public static double Auroc(ReadOnlySpan<double> scores, ReadOnlySpan<bool> anomalous)
    {
        if (scores.Length != anomalous.Length)
            throw new ArgumentException($"Auroc: {scores.Length} scores for {anomalous.Length} images.");
        int[] order = [.. Enumerable.Range(0, scores.Length)];
        double[] sorted = scores.ToArray();
        Array.Sort(sorted, order);
        double ranks = 0;
        long anomalies = 0;
        for (int start = 0, end; start < sorted.Length; start = end)
        {
            for (end = start + 1; end < sorted.Length && sorted[end].Equals(sorted[start]); end++)
            {
            }
            for (var i = start; i < end; i++)
            {
                if (!anomalous[order[i]]) continue;
                anomalies++;
                ranks += (start + 1 + end) / 2.0; // equal scores share their ranks, which count from 1
            }
        }
        var ordinary = sorted.Length - anomalies;
        if (anomalies == 0 || ordinary == 0)
            throw new ArgumentException($"Auroc: there are {anomalies} anomalies and {ordinary} ordinary images; it takes both.");
        return (ranks - anomalies * (anomalies + 1) / 2.0) / ((double)anomalies * ordinary);
    }

    /// <summary>The value below which a part of all lies, between neighbours in a straight line. (Hyndman and Fan 1996, type
    /// 7)</summary>
    /// <param name="sorted">In ascending order, at least one.</param>
    public static double Quantile(ReadOnlySpan<double> sorted, double part)
    {
        var place = part * (sorted.Length - 1);
        var below = (int)place;
        return below + 1 < sorted.Length ? sorted[below] + (place - below) * (sorted[below + 1] - sorted[below]) : sorted[below];
    }

    /// <summary>The variance of each column of a matrix, row by row.</summary>
    public static double[] Variances(ReadOnlySpan<float> rows, int columns)
    {
        var count = rows.Length / columns;
        var (mean, square) = (new double[columns], new double[columns]);
        for (var i = 0; i < rows.Length; i++) mean[i % columns] += (double)rows[i] / count;
        for (var i = 0; i < rows.Length; i++)
            square[i % columns] += (rows[i] - mean[i % columns]) * (rows[i] - mean[i % columns]) / count;
        return square;
    }
}
