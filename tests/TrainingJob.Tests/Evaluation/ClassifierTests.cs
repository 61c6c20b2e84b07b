using VaeFunctions.Cpu;
using VaeFunctions.Evaluation;

namespace VaeFunctions.Tests.Evaluation;

public sealed class ClassifierTests
{
    static (float[] Points, int[] Labels) Clouds(int count, ulong seed, float distance)
    {
        var random = new RandomStream(seed, "clouds");
        int[] labels = [.. Enumerable.Range(0, count).Select(i => i % 3)];
        return ([.. labels.SelectMany(Point)], labels);

        float[] Point(int label) =>
        [
            random.NextGaussian() + (label == 1 ? distance : 0),
            1000 * random.NextGaussian() + (label == 2 ? 1000 * distance : 0),
        ];
    }

    [Fact]
    public void A_linear_probe_tells_distant_clouds_apart_and_guesses_between_equal_ones()
    {
        var (train, trainLabels) = Clouds(1200, 1, 8);
        var (test, testLabels) = Clouds(300, 2, 8);
        Assert.InRange(LinearProbe.Accuracy(new CpuBackend(), 2, 3, train, trainLabels, test, testLabels), 0.99, 1);
        (train, trainLabels) = Clouds(1200, 1, 0);
        (test, testLabels) = Clouds(300, 2, 0);
        Assert.InRange(LinearProbe.Accuracy(new CpuBackend(), 2, 3, train, trainLabels, test, testLabels), 0.2, 0.47);
    }

    [Fact]
    public void Logistic_regression_finds_the_log_odds()
    {
        // p(1 | x) is 3/4 at x = 1 and 1/4 at x = −1: the least mean cross-entropy is −¾ log ¾ − ¼ log ¼ = 0.5623.
        int[] labels = [.. Enumerable.Range(0, 800).Select(i => i % 8 is 0 or 1 or 2 or 7 ? 1 : 0)];
        float[] x = [.. Enumerable.Range(0, 800).Select(i => i % 8 < 4 ? 1f : -1f)];
        Assert.Equal(0.5623, Classifier.Linear(new CpuBackend(), 1, 2).Fit(x, labels, 60, 0.05f), 0.005);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void An_image_classifier_learns_to_tell_upright_bars_from_lying_ones(int channels)
    {
        var random = new RandomStream(3, "bars");
        var (images, labels) = Bars(600);
        var (test, testLabels) = Bars(200);
        var classifier = Classifier.OfImages(new CpuBackend(), new(10, 9, channels), 2);
        classifier.Fit(images, labels, 8, 5e-3f);
        Assert.InRange(classifier.Accuracy(test, testLabels), 0.97, 1);

        (float[], int[]) Bars(int count)
        {
            int[] labels = [.. Enumerable.Range(0, count).Select(_ => random.NextInt(2))];
            return ([.. labels.SelectMany(label =>
            {
                var place = random.NextInt(9);
                return Enumerable.Range(0, 90 * channels).Select(i => i / channels)
                    .Select(i => (label == 0 ? i % 9 : i / 9) == place ? 1f : 0.2f * (float)random.NextDouble());
            })], labels);
        }
    }

    [Fact]
    public void Numbers_that_do_not_fit_the_labels_are_refused() =>
        Assert.Contains("2 for each of 4", Assert.Throws<ArgumentException>(() => Classifier.Linear(new CpuBackend(), 2, 2)
            .Fit(new float[7], [0, 1, 0, 1], 1, 1)).Message);
}
