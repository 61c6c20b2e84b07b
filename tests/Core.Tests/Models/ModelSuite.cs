using VaeFunctions.Autograd;
using VaeFunctions.Cpu;
using VaeFunctions.Layers;
using VaeFunctions.Models;
using VaeFunctions.Reference;
using VaeFunctions.Registry;
using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Models;

/// <summary>What holds for every model. A new one is a line in <see cref="All"/>.</summary>
public sealed class ModelSuite
{
    static readonly Dictionary<string, ModelOptions> models = new()
    {
        ["mlp, Bernoulli"] = new MlpVaeOptions { Image = new(28, 28, 1), Hidden = 40, Latent = 5, Likelihood = new BernoulliOptions() },
        ["mlp, squared error, RGB"] = new MlpVaeOptions { Image = new(5, 7, 3), Hidden = 17, Latent = 3, Likelihood = new SquaredErrorOptions() },
        ["conv, squared error"] = new ConvVaeOptions
        {
            Image = new(16, 24, 3),
            Channels = [6, 10, 12],
            Hidden = 20,
            Latent = 4,
            Likelihood = new SquaredErrorOptions { Low = -1, High = 1 },
        },
        ["conv, Bernoulli, grey"] = new ConvVaeOptions { Image = new(8, 8, 1), Channels = [5], Hidden = 9, Latent = 2, Output = OutputActivation.Linear, Likelihood = new BernoulliOptions() },
    };

    public static TheoryData<string> All => [.. models.Keys];

    static float[] Pixels(Vae model, int count)
    {
        // White discs on black: something that a model can learn, unlike noise, and whose cross-entropy can come near 0.
        var random = new RandomStream(7, "test images");
        var pixels = new float[count * model.Image.Size];
        for (var n = 0; n < count; n++)
        {
            double x0 = random.NextDouble() * model.Image.Width, y0 = random.NextDouble() * model.Image.Height;
            for (var i = 0; i < model.Image.Size; i++)
            {
                double x = i / model.Image.Channels % model.Image.Width, y = i / model.Image.Channels / model.Image.Width;
                pixels[n * model.Image.Size + i] = (x - x0) * (x - x0) + (y - y0) * (y - y0) < 9 ? 255 : 0;
            }
        }
        return pixels;
    }

    static (Tensor Pixels, Tensor Noise) Inputs(Vae model, IBackend backend, int count) =>
        (backend.FromValues(Pixels(model, count), new(count, model.Image.Height, model.Image.Width, model.Image.Channels)),
         backend.FromValues(new RandomStream(3, "noise").Gaussians(count * model.LatentSize), new(count, model.LatentSize)));

    /// <summary>Steps of plain gradient descent with RMSprop's scaling; gives the loss before each.</summary>
    static List<float> Train(Vae model, int steps)
    {
        var backend = model.Parameters.Backend;
        Parameter[] weights = [.. model.Parameters.Where(parameter => parameter.Kind == ParameterKind.Weight)];
        Tensor[] squares = [.. weights.Select(weight => backend.FromValues(new float[weight.Shape.Count], weight.Shape))];
        List<float> losses = [];
        for (var step = 0; step < steps; step++)
        {
            using var scope = backend.BeginScope();
            var tape = new GradientTape(backend);
            var (pixels, noise) = Inputs(model, tape, 8);
            var elbo = model.Loss(pixels, noise);
            var loss = (elbo.Reconstruction + elbo.Kl) / 8;
            losses.Add(loss.ToScalar());
            var gradients = tape.Backward(loss);
            foreach (var (weight, square) in weights.Zip(squares)) backend.RmsPropStep(weight.Value, gradients.Of(weight)!, square, new(0.002f));
        }
        return losses;
    }

    [Theory, MemberData(nameof(All))]
    public void The_two_terms_are_finite_scalars_and_every_weight_gets_a_gradient(string name)
    {
        var backend = new CpuBackend();
        var model = models[name].Build(backend, 1);
        var tape = new GradientTape(backend);
        var (pixels, noise) = Inputs(model, tape, 3);
        var elbo = model.Loss(pixels, noise);
        Assert.True(float.IsFinite(elbo.Reconstruction.ToScalar()) && elbo.Kl.ToScalar() >= 0);
        var gradients = tape.Backward(elbo.Reconstruction + elbo.Kl);
        Assert.All(model.Parameters.Where(parameter => parameter.Kind == ParameterKind.Weight),
            weight => Assert.Contains(gradients.Of(weight)!.ToArray(), value => value != 0));
    }

    [Theory, MemberData(nameof(All))]
    public void It_overfits_one_batch(string name)
    {
        var losses = Train(models[name].Build(1), 150);
        Assert.InRange(losses[^1], 0, losses[0] / 2);
    }

    [Theory, MemberData(nameof(All))]
    public void The_thread_count_does_not_change_a_bit_of_the_weights(string name)
    {
        var weights = new[] { 1, 2, 5 }.Select(threads =>
        {
            var model = models[name].Build(new CpuBackend(threads), 1);
            Train(model, 3);
            return model.Parameters.SelectMany(parameter => parameter.Value.ToArray()).ToArray();
        }).ToArray();
        Assert.Equal(weights[0], weights[1]);
        Assert.Equal(weights[0], weights[2]);
    }

    [Theory, MemberData(nameof(All))]
    public void The_CPU_agrees_with_the_reference(string name)
    {
        var model = models[name].Build(new CpuBackend(), 1);
        var (pixels, noise) = Inputs(model, model.Parameters.Backend, 3);
        var (exactPixels, exactNoise) = Inputs(model, new ReferenceBackend(), 3);
        NegativeElbo actual = model.Loss(pixels, noise), expected = model.Loss(exactPixels, exactNoise);
        Assert.Equal(1, actual.Reconstruction.ToScalar() / expected.Reconstruction.ToScalar(), 1e-5);
        Assert.Equal(1, actual.Kl.ToScalar() / expected.Kl.ToScalar(), 1e-4);
    }

    [Theory, MemberData(nameof(All))]
    public void Weights_survive_a_file(string name)
    {
        var trained = models[name].Build(1);
        Train(trained, 1);
        var other = models[name].Build(new CpuBackend(), 2);
        ParameterFile.Load(Safetensors.Read(Safetensors.Write(ParameterFile.ToTensors(trained.Parameters))), other.Parameters, other.Parameters.Backend);
        Assert.Equal(trained.Parameters.Select(p => (p.Name, Sum(p))), other.Parameters.Select(p => (p.Name, Sum(p))));

        static double Sum(Parameter parameter) => parameter.Value.ToArray().Select((value, i) => (double)value * (i + 1)).Sum();
    }

    [Theory, MemberData(nameof(All))]
    public void A_file_with_a_missing_an_extra_or_a_misshapen_tensor_is_refused_by_name(string name)
    {
        var model = models[name].Build(1);
        NamedTensor[] tensors = [.. ParameterFile.ToTensors(model.Parameters)];
        var before = model.Parameters.First().Value.ToArray();

        Assert.Contains(tensors[^1].Name, Refused(tensors[..^1]));
        Assert.Contains("surplus", Refused([.. tensors, new NamedTensor("surplus", new Shape(1), [1f])]));
        var misshapen = Refused([new NamedTensor(tensors[0].Name, new Shape(2, 3), new float[6]), .. tensors[1..]]);
        Assert.Contains(tensors[0].Name, misshapen);
        Assert.Contains("[2, 3]", misshapen);
        Assert.Equal(before, model.Parameters.First().Value.ToArray());

        string Refused(NamedTensor[] changed) => Assert.Throws<CheckpointException>(() =>
            ParameterFile.Load(Safetensors.Read(Safetensors.Write(changed)), model.Parameters, model.Parameters.Backend)).Message;
    }

    [SkippableTheory, MemberData(nameof(All))]
    public void ONNX_accepts_the_published_graphs(string name)
    {
        var model = models[name].Build(1);
        Assert.Equal(["checked", "checked"], Onnx.CheckerTests.Check([PublishedGraphs.Encoder(model).ToArray(), PublishedGraphs.Decoder(model).ToArray()]));
    }

    [Theory, MemberData(nameof(All))]
    public void The_published_graphs_agree_with_the_CPU_to_one_grey_level(string name) => ComparePublishedGraphs(name, PublishedGraphRunner.Run);

    [SkippableTheory, MemberData(nameof(All))]
    public void In_a_second_runtime_too(string name) => ComparePublishedGraphs(name, PublishedGraphRunner.RunInNode);

    static void ComparePublishedGraphs(string name, Func<Vae, float[], int, (float[] Mean, float[] Pixels)> run)
    {
        var model = models[name].Build(1);
        var backend = model.Parameters.Backend;
        Train(model, 1); // running statistics other than the initial ones
        foreach (var count in (int[])[1, 5]) // the batch axis is dynamic
        {
            var pixels = Pixels(model, count);
            var posterior = model.EncodePixels(backend.FromValues(pixels, new(count, model.Image.Height, model.Image.Width, model.Image.Channels)));
            var expected = model.DecodePixels(posterior.Mean).ToArray();
            var (mean, actual) = run(model, pixels, count);
            Assert.All(posterior.Mean.ToArray().Zip(mean), pair => Assert.Equal(pair.First, pair.Second, 1e-4f));
            Assert.Equal(expected.Length, actual.Length);
            Assert.All(expected.Zip(actual), pair => Assert.InRange(pair.Second, pair.First - 1, pair.First + 1));
            Assert.True(expected.Distinct().Count() > 10, "The decoder draws one grey.");
        }
    }
}
