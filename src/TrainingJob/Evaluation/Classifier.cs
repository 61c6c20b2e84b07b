using VaeFunctions.Imaging;
using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;
using VaeFunctions.Training;
using static VaeFunctions.Models.Layers.Build;

namespace VaeFunctions.Evaluation;

/// <summary>A small network that reads labels: layers, softmax, cross-entropy, Adam with a rate that falls to 0.</summary>
public sealed class Classifier
{
    const int BatchSize = 256;

    readonly ParameterSet parameters;
    readonly Sequential layers;
    readonly int inputs, classes;
    readonly ulong seed;

    Classifier(ITrainingBackend backend, int inputs, int classes, ulong seed, IEnumerable<Layer> layers)
    {
        (this.inputs, this.classes, this.seed) = (inputs, classes, seed);
        parameters = new(backend, seed);
        this.layers = new(parameters.Root, layers);
    }

    /// <summary>Logistic regression: one linear layer.</summary>
    public static Classifier Linear(ITrainingBackend backend, int inputs, int classes, ulong seed = 0) =>
        new(backend, inputs, classes, seed, [Build.Linear(inputs, classes)]);

    /// <summary>Of images whose pixels lie in [0, 1], row by row, channels side by side: two convolutions that halve them, and
    /// two dense layers.</summary>
    public static Classifier OfImages(ITrainingBackend backend, ImageShape image, int classes, ulong seed = 0)
    {
        Window half = new(4, 2, 1);
        return new(backend, image.Size, classes, seed,
        [
            Unflatten(image.Height, image.Width, image.Channels), ChannelsFirst,
            Conv(image.Channels, 32, half), Relu,
            Conv(32, 64, half), Relu,
            Flatten,
            Build.Linear(64 * (image.Height / 4) * (image.Width / 4), 128), Relu,
            Build.Linear(128, classes),
        ]);
    }

    /// <param name="features">Item by item, all inputs of each.</param>
    /// <returns>The mean cross-entropy of the last epoch, in nats.</returns>
    public double Fit(float[] features, int[] labels, int epochs, float learningRate, CancellationToken cancellation = default)
    {
        if (features.Length != labels.Length * inputs)
            throw new ArgumentException($"Classifier: {features.Length} numbers are not {inputs} for each of "
                + $"{labels.Length} labels.");
        var optimizer = new AdamRecipe { LearningRate = learningRate }.Build(parameters);
        var steps = (labels.Length + BatchSize - 1) / BatchSize;
        double sum = 0;
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            var order = new RandomStream(seed, "classifier", (ulong)epoch).Permutation(labels.Length);
            sum = 0;
            foreach (var (step, indices) in order.Chunk(BatchSize).Index())
            {
                cancellation.ThrowIfCancellationRequested();
                using var scope = parameters.Backend.BeginScope();
                var tape = parameters.Backend.Record();
                var logits = layers.Forward(Gather(tape, features, indices));
                var truth = tape.FromValues([.. indices.Select(index => (float)labels[index])], new(indices.Length))
                    .OneHot(classes);
                var loss = (logits.LogSumExp().Sum() - (logits * truth).Sum()) / indices.Length;
                optimizer.Step(tape.Backward(loss), rate: 1 - (epoch * steps + step) / (float)(epochs * steps));
                sum += loss.ToScalar() * indices.Length;
            }
        }
        return sum / labels.Length;
    }

    /// <summary>The likeliest label of each item.</summary>
    public int[] Predict(float[] features)
    {
        List<int> labels = [];
        foreach (var indices in Enumerable.Range(0, features.Length / inputs).Chunk(BatchSize))
        {
            using var scope = parameters.Backend.BeginScope();
            labels.AddRange(layers.Forward(Gather(parameters.Backend, features, indices)).ArgMax().ToArray()
                .Select(label => (int)label));
        }
        return [.. labels];
    }

    /// <summary>The part of the items whose likeliest label is the true one.</summary>
    public double Accuracy(float[] features, int[] labels) =>
        Predict(features).Zip(labels).Count(pair => pair.First == pair.Second) / (double)labels.Length;

    static Layer ChannelsFirst { get; } = _ => new PlanesLayer();

    Tensor Gather(IBackend backend, float[] features, int[] indices)
    {
        var values = new float[indices.Length * inputs];
        for (var i = 0; i < indices.Length; i++) features.AsSpan(indices[i] * inputs, inputs).CopyTo(values.AsSpan(i * inputs));
        return backend.FromValues(values, new(indices.Length, inputs));
    }

    sealed class PlanesLayer : ILayer
    {
        public Tensor Forward(Tensor x) => x.Transpose(0, 3, 1, 2);
    }
}
