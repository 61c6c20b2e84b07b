using VaeFunctions.Cpu;
using VaeFunctions.Data;
using VaeFunctions.Data.Faces;
using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;
using VaeFunctions.Training;
using static VaeFunctions.Models.Layers.Build;

namespace VaeFunctions.Tests.Faces;

/// <summary>Says which attributes a face has: a small convolutional network, trained on true faces, that never saw the
/// VAE.</summary>
/// <remarks>Every attribute is a number from 0 to 1, its truth the target of a binary cross-entropy; above ½ a yes-or-no
/// attribute is yes.</remarks>
sealed class FaceJudge
{
    const int BatchSize = 64;

    readonly ParameterSet parameters = new(new CpuBackend(), 7);
    readonly Sequential network;

    FaceJudge()
    {
        Window half = new(4, 2, 1);
        network = new(parameters.Root, Conv(3, 16, half), Relu, BatchNorm(16), Conv(16, 32, half), Relu, BatchNorm(32),
            Conv(32, 64, half), Relu, BatchNorm(64),
            Flatten, Linear(64 * 4 * 4, 128), Relu, Linear(128, FaceAttributes.Names.Count));
    }

    public static FaceJudge Train(ImageDataset faces, int epochs)
    {
        var judge = new FaceJudge();
        var backend = judge.parameters.Backend;
        var optimizer = new AdamRecipe { LearningRate = 1e-3f }.Build(judge.parameters);
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            var order = new RandomStream(7, "judge", (ulong)epoch).Permutation(faces.Count);
            foreach (var (step, batch) in order.Chunk(BatchSize).Index())
            {
                using var scope = backend.BeginScope();
                var tape = backend.Record();
                var logits = judge.network.Forward(Pixels(tape, [.. batch.Select(i => faces.Pixels(i).ToArray())]));
                var truth = tape.FromValues([.. batch.SelectMany(i => Truth(faces, i))], logits.Shape);
                var loss = logits.Backend.BinaryCrossEntropySum(logits, truth).Mean();
                optimizer.Step(tape.Backward(loss), RateAt(epoch + (double)step * BatchSize / faces.Count, epochs));
                tape.ApplyUpdates();
            }
        }
        return judge;
    }

    /// <summary>An attribute's place among an image's judgements.</summary>
    public static int IndexOf(string attribute) => FaceAttributes.Names.ToList().IndexOf(attribute);

    /// <summary>The truth of a face, each attribute from 0 to 1.</summary>
    public static float[] Truth(ImageDataset faces, int index) =>
        [.. FaceAttributes.Names.Select((name, a) => name is "smile" or "pose"
            ? (faces.Attributes![index, a] + 1) / 2
            : faces.Attributes![index, a])];

    /// <summary>What it sees in each image.</summary>
    /// <param name="images">[H · W · C] bytes each.</param>
    public float[][] Judge(IEnumerable<byte[]> images) => [.. images.Chunk(256).SelectMany(batch =>
    {
        using var scope = parameters.Backend.BeginScope();
        return network.Forward(Pixels(parameters.Backend, batch)).Sigmoid().ToArray().Chunk(FaceAttributes.Names.Count).ToArray();
    })];

    /// <summary>The cosine from 1 to 0. (Loshchilov and Hutter 2017)</summary>
    static float RateAt(double epoch, int epochs) => (float)(0.5 * (1 + Math.Cos(Math.PI * epoch / epochs)));

    static Tensor Pixels(IBackend backend, byte[][] images) =>
        backend.FromValues([.. images.SelectMany(image => image, (_, pixel) => pixel / 127.5f - 1)],
            new(images.Length, 32, 32, 3)).Transpose(0, 3, 1, 2);
}
