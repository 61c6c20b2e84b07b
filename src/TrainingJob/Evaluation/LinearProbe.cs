using VaeFunctions.Tensors;

namespace VaeFunctions.Evaluation;

/// <summary>How well a straight cut through latent space tells labels apart: logistic regression on the posterior's means. (Alain
/// and Bengio 2017)</summary>
public static class LinearProbe
{
    const int Epochs = 30;
    const float LearningRate = 0.02f;

    /// <param name="train">[images, latents], item by item; those regression is fitted to.</param>
    /// <returns>The part of the test images whose label is found.</returns>
    public static double Accuracy(
        ITrainingBackend backend, int latents, int classes, float[] train, int[] trainLabels, float[] test, int[] testLabels,
        CancellationToken cancellation = default)
    {
        var (mean, deviation) = Scale(train, latents);
        var probe = Classifier.Linear(backend, latents, classes);
        probe.Fit(Standardised(train), trainLabels, Epochs, LearningRate, cancellation);
        return probe.Accuracy(Standardised(test), testLabels);

        float[] Standardised(float[] means) =>
            [.. means.Select((value, i) => (float)((value - mean[i % latents]) / deviation[i % latents]))];
    }

    /// <summary>Latents of all sizes learn alike.</summary>
    static (double[] Mean, double[] Deviation) Scale(float[] rows, int columns)
    {
        var mean = new double[columns];
        for (var i = 0; i < rows.Length; i++) mean[i % columns] += (double)rows[i] * columns / rows.Length;
        return (mean, Array.ConvertAll(Statistics.Variances(rows, columns), variance => Math.Sqrt(variance) + 1e-6));
    }
}
