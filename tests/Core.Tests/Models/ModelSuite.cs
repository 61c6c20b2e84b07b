using VaeFunctions.Cpu;
using VaeFunctions.Models;
using VaeFunctions.Models.Layers;
using VaeFunctions.Reference;
using VaeFunctions.Registry;
using VaeFunctions.Tensors;
using VaeFunctions.Tests.Conformance;

namespace VaeFunctions.Tests.Models;

/// <summary>What holds for every model. A new one is a line in <see cref="All"/>.</summary>
public sealed class ModelSuite
{
    static readonly Dictionary<string, ModelOptions> models = new()
    {
        ["mlp, Bernoulli"] =
            new MlpVaeOptions { Image = new(28, 28, 1), Hidden = [40], Latent = 5, Likelihood = new BernoulliOptions() },
        ["mlp, squared error, RGB"] =
            new MlpVaeOptions { Image = new(5, 7, 3), Hidden = [17], Latent = 3, Likelihood = new SquaredErrorOptions() },
        ["mlp, two hidden layers, labels, optimal σ"] = new MlpVaeOptions
        {
            Image = new(8, 8, 1),
            Hidden = [24, 12],
            Latent = 3,
            Classes = 3,
            Likelihood = new GaussianOptions(),
        },
        ["mlp, learned σ"] = new MlpVaeOptions
        {
            Image = new(8, 8, 1),
            Hidden = [24],
            Latent = 3,
            Likelihood = new GaussianOptions { Deviation = Deviation.Learned },
        },
        ["autoencoder"] = new MlpAutoencoderOptions
        {
            Image = new(8, 8, 1),
            Hidden = [30],
            Latent = 4,
            Initialization = new NormalInitialization { Deviation = 0.3f },
            Likelihood = new SquaredErrorOptions(),
        },
        ["autoencoder with a prior"] = new MlpAutoencoderOptions
        {
            Image = new(8, 8, 1),
            Hidden = [30],
            Latent = 4,
            Prior = new GaussianPriorOptions(),
            Likelihood = new SquaredErrorOptions(),
        },
        ["conv, squared error"] = new ConvVaeOptions
        {
            Image = new(16, 24, 3),
            Channels = [6, 10, 12],
            Hidden = 20,
            Latent = 4,
            Likelihood = new SquaredErrorOptions { Low = -1, High = 1 },
        },
        ["conv, Bernoulli, grey"] = new ConvVaeOptions
        {
            Image = new(8, 8, 1),
            Channels = [5],
            Hidden = 9,
            Latent = 2,
            Output = OutputActivation.Linear,
            Likelihood = new BernoulliOptions(),
        },
        ["plain conv"] = new PlainConvVaeOptions
        {
            Image = new(8, 12, 1),
            Encoder = [new(5), new(6, 2), new(6, 2)],
            Decoder = [new(6, 2), new(4, 2)],
            Hidden = 9,
            Latent = 2,
            Initialization = new NormalInitialization { Deviation = 0.3f },
            Likelihood = new BernoulliOptions(),
        },
        ["ladder"] = new LadderVaeOptions
        {
            Image = new(8, 8, 1),
            Levels = [new(24, 4), new(12, 3),
            new(10, 2)],
            Likelihood = new BernoulliOptions()
        },
        ["ladder, labels"] = new LadderVaeOptions
        {
            Image = new(8, 8, 1),
            Levels = [new(24, 4), new(12, 3)],
            Classes = 2,
            Likelihood = new BernoulliOptions(),
        },
        ["codebook"] = new VqVaeOptions
        {
            Image = new(16, 8, 1),
            Channels = [8, 12],
            Blocks = 1,
            Codes = 20,
            Depth = 5,
            PriorChannels = 12,
            PriorBlocks = 1,
            Likelihood = new BernoulliOptions(),
        },
        ["adversary"] = new VaeGanOptions
        {
            Image = new(8, 8, 3),
            Channels = [8, 10],
            Hidden = 20,
            Latent = 3,
            Discriminator = [6, 8],
            Likelihood = new SquaredErrorOptions { Low = -1 },
        },
        ["spatial"] = new SpatialVaeOptions
        {
            Image = new(16, 8, 3),
            Encoder = [4, 8],
            Inner = 12,
            Depth = 3,
            Decoder = [8, 5],
            Groups = 4,
            Likelihood = new AbsoluteErrorOptions { Low = -1 },
        },
        ["spatial, one stage, Bernoulli, labels"] = new SpatialVaeOptions
        {
            Image = new(8, 8, 1),
            Encoder = [6],
            Inner = 8,
            Depth = 2,
            Decoder = [5],
            Blocks = 2,
            Groups = 2,
            Classes = 3,
            Likelihood = new BernoulliOptions(),
        },
        ["conv, labels"] = new ConvVaeOptions
        {
            Image = new(8, 8, 1),
            Channels = [5, 6],
            Hidden = 9,
            Latent = 2,
            Classes = 4,
            Likelihood = new SquaredErrorOptions { Low = -1 },
        },
    };

    public static TheoryData<string> All => [.. models.Keys];

    public static TheoryData<ComputingSubject, string> OnAll => Subjects.TrainingTimes(models.Keys);

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

    static NegativeElbo Terms(Vae model, IBackend backend, int count, int samples = 1) => model.Terms(
        PixelsOn(model, backend, count),
        backend.FromValues(
            new RandomStream(3, "noise").Gaussians(count * samples * model.LatentSize), new(count * samples, model.LatentSize)),
        Labels(model, backend, count));

    static Tensor PixelsOn(Vae model, IBackend backend, int count) =>
        backend.FromValues(Pixels(model, count), new(count, model.Image.Height, model.Image.Width, model.Image.Channels));

    static Tensor? Labels(Vae model, IBackend backend, int count) =>
        model.Classes == 0 ? null : backend.FromValues(Labels(model, count), new(count));

    internal static float[] Labels(Vae model, int count) =>
        [.. Enumerable.Range(0, count).Select(i => (float)(i % model.Classes))];

    static Tensor Total(NegativeElbo elbo)
    {
        var total = elbo.Reconstruction.Sum() + elbo.Kl.Sum();
        return elbo.Penalty is { } penalty ? total + penalty : total;
    }

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
            var tape = backend.Record();
            var loss = Total(Terms(model, tape, 8)) / 8;
            losses.Add(loss.ToScalar());
            var gradients = tape.Backward(loss);
            foreach (var (weight, square) in weights.Zip(squares))
                backend.RmsPropStep(weight.Value, gradients.Of(weight)!, square, new(0.002f));
            tape.ApplyUpdates();
        }
        return losses;
    }

    [Theory, MemberData(nameof(OnAll))]
    public void The_terms_are_finite_for_each_image_and_every_weight_gets_a_gradient(ComputingSubject subject, string name)
    {
        var backend = subject.Create();
        var model = models[name].Build(backend, 1);
        var tape = backend.Record();
        var elbo = Terms(model, tape, 3);
        Assert.Equal([3], elbo.Reconstruction.Shape.Axes);
        Assert.Equal([3], elbo.LogRatio.Shape.Axes);
        Assert.Equal(3, elbo.Kl.Shape[0]);
        Assert.All(elbo.Reconstruction.ToArray(), value => Assert.True(float.IsFinite(value)));
        Assert.All(elbo.Kl.ToArray(), value => Assert.InRange(value, -1e-6f, 1e6f));
        var gradients = tape.Backward(Total(elbo));
        Assert.All(model.Parameters.Where(parameter => parameter.Kind == ParameterKind.Weight),
            weight => Assert.Contains(gradients.Of(weight)!.ToArray(), value => value != 0));
    }

    [Theory, MemberData(nameof(OnAll))]
    public void It_overfits_one_batch(ComputingSubject subject, string name)
    {
        var losses = Train(models[name].Build(subject.Create(), 1), 400);
        Assert.InRange(losses[^1], float.NegativeInfinity, losses[0] / 2);
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

    [Theory, MemberData(nameof(OnAll))]
    public void It_agrees_with_the_reference(ComputingSubject subject, string name)
    {
        var model = models[name].Build(subject.Create(), 1);
        NegativeElbo actual = Terms(model, model.Parameters.Backend, 3), expected = Terms(model, new ReferenceBackend(), 3);
        Agree(expected.Reconstruction, actual.Reconstruction, 1e-5);
        Agree(expected.Kl.SumPerImage(), actual.Kl.SumPerImage(), 1e-4);
        Agree(expected.LogRatio, actual.LogRatio, 1e-4);

        static void Agree(Tensor expected, Tensor actual, double tolerance) =>
            Assert.All(expected.ToArray().Zip(actual.ToArray()),
            pair => Assert.Equal(pair.First, pair.Second, tolerance * Math.Max(1, Math.Abs(pair.First))));
    }

    /// <summary>Within half of 10⁻⁴ of the definition, so that any two back ends are within 10⁻⁴ of one another.</summary>
    [Theory, MemberData(nameof(OnAll))]
    public void A_step_has_the_loss_and_the_gradients_of_the_reference(ComputingSubject subject, string name)
    {
        const double tolerance = 0.5e-4;
        var (expectedLoss, expected) = Step(new ReferenceBackend());
        var (actualLoss, actual) = Step(subject.Create());
        Assert.Equal(expectedLoss, actualLoss, tolerance * Math.Abs(expectedLoss));
        var overall = expected.Values.Max(exact => exact.Max(Math.Abs));
        foreach (var (weight, exact) in expected)
        {
            // that of a bias before batch normalisation is 0, but for rounding
            var largest = Math.Max(exact.Max(Math.Abs), 0.01f * overall);
            Assert.All(exact.Zip(actual[weight]), pair => Assert.True(Math.Abs(pair.First - pair.Second) <= tolerance * largest,
                $"{weight}: the gradient is {pair.Second:g9} on {subject} but {pair.First:g9} by definition (largest "
                    + $"{largest:g3})."));
        }

        (float Loss, Dictionary<string, float[]> Gradients) Step(ITrainingBackend backend)
        {
            var model = models[name].Build(backend, 1);
            using var scope = backend.BeginScope();
            var tape = backend.Record();
            var loss = Total(Terms(model, tape, 6)) / 6;
            var gradients = tape.Backward(loss);
            return (loss.ToScalar(), model.Parameters.Where(parameter => parameter.Kind == ParameterKind.Weight)
                .ToDictionary(weight => weight.Name, weight => gradients.Of(weight)!.ToArray()));
        }
    }

    [Theory, MemberData(nameof(All))]
    public void Several_draws_of_an_image_are_the_rows_that_follow_one_another(string name)
    {
        var model = models[name].Build(1);
        NegativeElbo one = Terms(model, model.Parameters.Backend, 2), three = Terms(
            model, model.Parameters.Backend, 2, samples: 3);
        if (three.LogRatio.Shape[0] == 2) return; // nothing is drawn
        Assert.Equal([6], three.Reconstruction.Shape.Axes);
        // the first row's noise is the same
        Assert.Equal(one.Reconstruction.ToArray()[0], three.Reconstruction.ToArray()[0], 1e-3);
        Assert.Equal(one.LogRatio.ToArray()[0], three.LogRatio.ToArray()[0], 1e-4);
    }

    [Theory, MemberData(nameof(All))]
    public void A_label_is_asked_for_where_the_model_takes_one_and_refused_where_it_does_not(string name)
    {
        var model = models[name].Build(1);
        var backend = model.Parameters.Backend;
        var latent = backend.FromValues(new float[model.LatentSize], new(1, model.LatentSize));
        var label = model.Classes == 0 ? backend.FromValues([0], new(1)) : null;
        Assert.Contains("conditional", Assert.Throws<ArgumentException>(() => model.DecodePixels(latent, label)).Message);
    }

    [Theory, MemberData(nameof(OnAll))]
    public void Weights_survive_a_file_and_load_on_the_CPU(ComputingSubject subject, string name)
    {
        var trained = models[name].Build(subject.Create(), 1);
        Train(trained, 1);
        var other = models[name].Build(new CpuBackend(), 2);
        ParameterFile.Load(Safetensors.Read(Safetensors.Write(ParameterFile.ToTensors(trained.Parameters))), other.Parameters,
            other.Parameters.Backend);
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
        Assert.Equal(["checked", "checked"],
            Onnx.CheckerTests.Check([PublishedGraphs.Encoder(model).ToArray(), PublishedGraphs.Decoder(model).ToArray()]));
    }

    [Theory, MemberData(nameof(All))]
    public void The_published_graphs_agree_with_the_CPU_to_one_grey_level(string name) =>
        ComparePublishedGraphs(name, PublishedGraphRunner.Run);

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
            var labels = Labels(model, backend, count);
            var posterior = model.EncodePixels(PixelsOn(model, backend, count), labels);
            var expected = model.DecodePixels(posterior.Mean, labels).ToArray();
            var (mean, actual) = run(model, pixels, count);
            Assert.All(posterior.Mean.ToArray().Zip(mean), pair => Assert.Equal(pair.First, pair.Second, 1e-4f));
            Assert.Equal(expected.Length, actual.Length);
            Assert.All(expected.Zip(actual), pair => Assert.InRange(pair.Second, pair.First - 1, pair.First + 1));
            Assert.True(expected.Distinct().Count() > 10, "The decoder draws one grey.");
        }
    }
}
