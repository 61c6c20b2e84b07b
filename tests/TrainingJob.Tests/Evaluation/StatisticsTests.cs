using VaeFunctions.Evaluation;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Evaluation;

public sealed class StatisticsTests
{
    [Fact]
    public void Auroc_is_the_part_of_pairs_that_are_in_order_and_equal_scores_count_half()
    {
        // Anomalies 3, 2; ordinary 1, 2: pairs (3,1) 1, (3,2) 1, (2,1) 1, (2,2) ½, so 3.5 of 4.
        Assert.Equal(3.5 / 4, Statistics.Auroc([3, 2, 1, 2], [true, true, false, false]), 12);
        Assert.Equal(0.5, Statistics.Auroc([1, 1, 1, 1, 1], [true, false, true, false, false]), 12);
        Assert.Equal(1, Statistics.Auroc([1, 2, 9], [false, false, true]), 12);
        Assert.Equal(0, Statistics.Auroc([1, 2, 0], [false, false, true]), 12);
    }

    [Fact]
    public void Auroc_agrees_with_counting_all_pairs()
    {
        var random = new RandomStream(1, "scores");
        double[] scores = [.. Enumerable.Range(0, 200).Select(_ => (double)random.NextInt(20))];
        bool[] anomalous = [.. Enumerable.Range(0, 200).Select(_ => random.NextInt(3) == 0)];
        double[] high = [.. scores.Where((_, i) => anomalous[i])], low = [.. scores.Where((_, i) => !anomalous[i])];
        var expected = high.Average(a => low.Average(b => a > b ? 1 : a < b ? 0 : 0.5));
        Assert.Equal(expected, Statistics.Auroc(scores, anomalous), 12);
    }

    [Fact]
    public void Auroc_of_one_kind_alone_is_refused()
    {
        Assert.Contains("takes both", Assert.Throws<ArgumentException>(() => Statistics.Auroc([1, 2], [true, true])).Message);
        Assert.Contains("takes both", Assert.Throws<ArgumentException>(() => Statistics.Auroc([1, 2], [false, false])).Message);
        Assert.Contains("2 scores for 1", Assert.Throws<ArgumentException>(() => Statistics.Auroc([1, 2], [false])).Message);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.5, 2.5)] // between 2 and 3
    [InlineData(0.75, 3.25)] // place 0.75 · 3 = 2.25
    [InlineData(1, 4)]
    public void Quantiles_lie_on_straight_lines_between_neighbours(double part, double expected) =>
        Assert.Equal(expected, Statistics.Quantile([1, 2, 3, 4], part), 12);

    [Fact]
    public void Thresholds_of_ordinary_images_rise_with_their_quantile()
    {
        double[] scores = [.. Enumerable.Range(0, 1001).Select(i => i / 1000.0).Reverse()];
        var thresholds = ModelEvaluation.Thresholds(scores, [0.05, 0.5, 0.999]);
        Assert.Equal(["0.05", "0.5", "0.999"], thresholds.Keys);
        Assert.All(thresholds, threshold =>
            Assert.Equal(double.Parse(threshold.Key, System.Globalization.CultureInfo.InvariantCulture), threshold.Value, 12));
    }

    [Fact]
    public void The_perplexity_of_equal_counts_is_their_number_and_of_others_less()
    {
        Assert.Equal(4, Measure.PerplexityOf([5, 5, 5, 5]), 9);
        Assert.Equal(1, Measure.PerplexityOf([7]), 9);
        // p = ¾, ¼: exp(−¾ log ¾ − ¼ log ¼) = 4 / 3^¾
        Assert.Equal(4 / Math.Pow(3, 0.75), Measure.PerplexityOf([3, 1]), 9);
    }

    [Fact]
    public void Variances_are_of_columns() => Assert.Equal([1, 0], Statistics.Variances([1, 5, 3, 5], 2));

    [Fact]
    public void Mutual_information_is_nothing_between_strangers_and_the_entropy_between_equals()
    {
        Assert.Equal(0, MutualInformation.Of([0, 0, 1, 1], [0, 1, 0, 1]), 12);
        Assert.Equal(Math.Log(2), MutualInformation.Of([0, 0, 1, 1], [5, 5, 3, 3]), 12);
        // p(a, b) = ½, ¼, ¼ with p(a) = ¾, ¼ and p(b) = ½, ½: ½ log 4/3 + ¼ log 2/3 + ¼ log 2
        var expected = 0.5 * Math.Log(4.0 / 3) + 0.25 * Math.Log(2.0 / 3) + 0.25 * Math.Log(2);
        Assert.Equal(expected, MutualInformation.Of([0, 0, 0, 1], [0, 0, 1, 1]), 12);
    }

    [Fact]
    public void The_gap_is_one_where_a_latent_alone_says_an_attribute_and_nothing_where_two_do()
    {
        // Latent 0 is the yes-or-no attribute; latents 1 and 2 both are the continuous one; the constant attribute has no score.
        const int images = 400;
        var (means, truth) = (new float[images * 3], new float[images, 3]);
        for (var i = 0; i < images; i++)
        {
            (truth[i, 0], truth[i, 1], truth[i, 2]) = (i % 2, i / 2 % 20, 7);
            (means[i * 3], means[i * 3 + 1], means[i * 3 + 2]) = (i % 2 * 3 - 1, i / 2 % 20, -2 * (i / 2 % 20));
        }
        var scores = MutualInformation.Of(means, 3, truth, ["hat", "smile", "constant"]);
        Assert.Equal(["hat", "smile"], scores.Select(score => score.Name));
        Assert.Equal(0, scores[0].Latent);
        Assert.Equal(1, scores[0].Best, 9);
        Assert.Equal(1, scores[0].Gap, 9);
        Assert.Equal(1, scores[1].Best, 9);
        Assert.Equal(0, scores[1].Gap, 9);
    }
}
