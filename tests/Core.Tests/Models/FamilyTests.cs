using VaeFunctions.Autograd;
using VaeFunctions.Cpu;
using VaeFunctions.Imaging;
using VaeFunctions.Models;
using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Models;

/// <summary>What each relative of the VAE promises besides what holds for all.</summary>
public sealed class FamilyTests
{
    static readonly ImageShape Small = new(8, 8, 1);

    static readonly CpuBackend backend = new();

    static Tensor Noise(int rows, int columns, ulong seed = 1) =>
        backend.FromValues(new RandomStream(seed, "noise").Gaussians(rows * columns), new(rows, columns));

    static Tensor Pixels(int count, ulong seed = 1)
    {
        var random = new RandomStream(seed, "pixels");
        return backend.FromValues(
            [.. Enumerable.Range(0, count * 64).Select(_ => (float)random.NextInt(256))], new(count, 8, 8, 1));
    }

    // --- likelihoods ----------------------------------------------------------------------------------------------------

    [Fact]
    public void The_optimal_deviation_is_the_batch_s_own_and_a_running_mean_serves_elsewhere()
    {
        // Errors of 0.5 everywhere: σ² = 1/4, and −log p = D/2 · (1 + log 2πσ²) for each image of D values.
        ParameterSet parameters = new(backend, 1);
        var likelihood = new GaussianOptions().Build(parameters.Root, Small);
        float[] halves = [.. Enumerable.Repeat(0.5f, 128)];
        var tape = new GradientTape(backend);
        var terms = likelihood.Reconstruction(
            tape.FromValues(halves, new(2, 1, 8, 8)), tape.FromValues(new float[128], new(2, 1, 8, 8))).ToArray();
        Assert.All(terms, term => Assert.Equal(32 * (1 + Math.Log(2 * Math.PI / 4)), term, 1e-3));
        tape.ApplyUpdates();
        Assert.Equal(0.01 * Math.Log(0.25), parameters.Single().Value.ToScalar(), 1e-5);

        var elsewhere = likelihood.Reconstruction(
            backend.FromValues(halves, new(2, 1, 8, 8)), backend.FromValues(new float[128], new(2, 1, 8, 8))).ToArray();
        var variance = Math.Exp(0.01 * Math.Log(0.25));
        Assert.All(elsewhere, term => Assert.Equal(32 * (0.25 / variance + Math.Log(2 * Math.PI * variance)), term, 1e-3));
    }

    [Fact]
    public void The_absolute_error_is_summed_over_an_image_and_pulls_with_the_same_force_everywhere()
    {
        var likelihood = new AbsoluteErrorOptions { Low = -1 }.Build(new ParameterSet(backend, 1).Root, new(1, 2, 1));
        var tape = new GradientTape(backend);
        var decoded = tape.Variable(backend.FromValues([0.5f, -0.25f, 1, -1], new(2, 1, 1, 2)));
        var terms = likelihood.Reconstruction(decoded, tape.FromValues([0, 0, 1, 1], new(2, 1, 1, 2)));
        Assert.Equal([0.75f, 2], terms.ToArray());
        Assert.Equal([1, -1, 0, -1], tape.Backward(terms.Sum())[decoded]!.ToArray());
    }

    // --- spatial codes --------------------------------------------------------------------------------------------------

    /// <summary>Against the enlarged image itself, convolved, borders included.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(4, 3)]
    public void An_upsampled_convolution_is_that_of_every_pixel_made_four(int height, int width)
    {
        ParameterSet parameters = new(backend, 1);
        var layer = new UpsampledConvolution(parameters.Root, 2, 5);
        var x = backend.FromValues(new RandomStream(1, "x").Gaussians(6 * height * width), new(3, 2, height, width));
        var enlarged = (x.Reshape(0, 2, height, 1, width, 1) + backend.FromValues(new float[4], new(2, 1, 2)))
            .Reshape(0, 2, 2 * height, 2 * width);
        Parameter[] own = [.. parameters];
        var expected = ((IBackend)backend).AddPerChannel(backend.Conv(enlarged, own[0].Value, new Window(3, 1, 1)), own[1].Value);

        var actual = layer.Forward(x, relu: false);

        Assert.Equal(expected.Shape, actual.Shape);
        Assert.All(expected.ToArray().Zip(actual.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }

    [Theory]
    [InlineData(new[] { 8 }, new[] { 8, 8 }, "model.encoder has 1; there must be as many")]
    [InlineData(new[] { 8, 12 }, new[] { 8, 5 }, "a stage has 12 channels")]
    public void Stages_of_a_spatial_model_that_do_not_fit_together_are_refused(int[] encoder, int[] decoder, string expected)
    {
        SpatialVaeOptions options = new()
        {
            Image = Small,
            Encoder = encoder,
            Decoder = decoder,
            Inner = 8,
            Depth = 2,
            Likelihood = new BernoulliOptions(),
        };
        Assert.Contains(expected, Assert.Throws<ModelOptionsException>(() => options.Build()).Message);
    }

    [Fact]
    public void A_learned_deviation_is_drawn_to_the_optimal_one()
    {
        // d/d log σ² of ½ (error / σ² + D log σ²) is 0 where σ² = error / D.
        ParameterSet parameters = new(backend, 1);
        var likelihood = new GaussianOptions { Deviation = Deviation.Learned }.Build(parameters.Root, Small);
        var weight = parameters.Single();
        backend.Assign(weight.Value, backend.FromValues([MathF.Log(0.25f)], weight.Shape));
        var tape = new GradientTape(backend);
        float[] halves = [.. Enumerable.Repeat(0.5f, 64)];
        var loss = likelihood.Reconstruction(
            tape.FromValues(halves, new(1, 1, 8, 8)), tape.FromValues(new float[64], new(1, 1, 8, 8))).Sum();
        Assert.Equal(0, tape.Backward(loss).Of(weight)!.ToScalar(), 1e-4);
    }

    // --- the autoencoder ------------------------------------------------------------------------------------------------

    [Fact]
    public void Codes_are_white_under_their_fitted_prior_and_come_back_unchanged()
    {
        var options =
            new MlpAutoencoderOptions { Image = Small, Hidden = [20], Latent = 4, Likelihood = new SquaredErrorOptions() };
        Vae plain = options.Build(backend, 1), fitted = (options with { Prior = new GaussianPriorOptions() }).Build(backend, 1);
        Assert.Equal((Prior.None, Prior.StandardNormal), (plain.Prior, fitted.Prior));
        var pixels = Pixels(500);
        fitted.Fit(pixels);
        var codes = fitted.EncodePixels(pixels).Mean;
        Assert.All(codes.Sum(0).ToArray(), sum => Assert.Equal(0, sum / 500, 1e-4));
        var covariance = backend.MatMul(codes, codes, transposeLeft: true).ToArray();
        for (var i = 0; i < 16; i++) Assert.Equal(i % 5 == 0 ? 1 : 0, covariance[i] / 500, 0.01);
        var (expected, actual) = (plain.DecodePixels(plain.EncodePixels(pixels).Mean).ToArray(),
            fitted.DecodePixels(codes).ToArray());
        Assert.All(expected.Zip(actual), pair => Assert.InRange(pair.Second, pair.First - 1, pair.First + 1));
    }

    // --- the hierarchy --------------------------------------------------------------------------------------------------

    static LadderVaeOptions Ladder { get; } = new()
    {
        Image = Small,
        Levels = [new(24, 4), new(12, 3), new(10, 2)],
        Likelihood = new BernoulliOptions(),
        Initialization = new NormalInitialization { Deviation = 0.5f },
    };

    public static TheoryData<string> Drawing => ["ladder", "mlp"];

    [Theory, MemberData(nameof(Drawing))]
    public void The_KL_is_the_mean_of_the_log_ratio_over_many_draws(string name)
    {
        const int draws = 4000;
        var mlp = new MlpVaeOptions
        {
            Image = Small,
            Hidden = [20],
            Latent = 4,
            Likelihood = new BernoulliOptions(),
            Initialization = new NormalInitialization { Deviation = 0.3f },
        };
        var model = name == "ladder" ? Ladder.Build(backend, 1) : mlp.Build(backend, 1);
        var terms = model.Terms(Pixels(1), Noise(draws, model.LatentSize));
        double kl = terms.Kl.Sum().ToScalar() / draws, ratio = terms.LogRatio.Sum().ToScalar() / draws;
        Assert.True(kl > 0.5, $"{kl}");
        Assert.Equal(1, ratio / kl, 0.1);
    }

    [Fact]
    public void Lower_latents_depend_on_the_noise_of_those_above_but_not_on_their_own()
    {
        var model = Ladder.Build(backend, 1);
        var images = model.Likelihood.FromPixels(Pixels(1));
        float[] quiet = new float[9], above = [1, 1, 0, 0, 0, 0, 0, 0, 0], below = [0, 0, 0, 0, 0, 1, 1, 1, 1];
        float[] base0 = Means(quiet), changedAbove = Means(above), changedBelow = Means(below);
        Assert.Equal(base0, changedBelow);
        Assert.Equal(base0[..2], changedAbove[..2]);
        Assert.NotEqual(base0[2..], changedAbove[2..]);

        float[] Means(float[] noise) => model.Posterior(images, null, backend.FromValues(noise, new(1, 9))).Mean.ToArray();
    }

    // --- the codebook ---------------------------------------------------------------------------------------------------

    [Fact]
    public void The_codebook_starts_as_the_means_of_clusters()
    {
        var (book, parameters) = NewCodebook(codes: 4);
        // Four clusters, at (±10, ±10).
        var noise = new RandomStream(1, "clusters").Gaussians(2 * 64);
        float[] grid = [.. Enumerable.Range(0, 128).Select(i => 0.1f * noise[i] + ((i < 64 ? i : i / 2) % 2 == 0 ? 10 : -10))];
        Learn(book, grid);
        var vectors = parameters.First().Value.ToArray();
        Assert.Equal(4, vectors.Chunk(2).Select(v => (v[0] > 0, v[1] > 0)).Distinct().Count());
        Assert.All(vectors, value => Assert.InRange(Math.Abs(value), 9.5f, 10.5f));
    }

    [Fact]
    public void Codes_follow_the_mean_of_what_chose_them()
    {
        var (book, parameters) = NewCodebook(codes: 2, decay: 0.1f);
        Learn(book, Grid(-1, 1));
        Learn(book, Grid(-3, 1)); // the first code's average: 0.1 · −1 + 0.9 · −3
        Assert.Equal(
            [-2.8f, 1], parameters.First().Value.ToArray().Where((_, i) => i % 2 == 0).Order(), (a, b) => Math.Abs(a - b) < 1e-3);

        static float[] Grid(float left, float right) => [.. Enumerable.Range(0, 128).Select(i => i % 2 == 0 ? left : right)];
    }

    [Fact]
    public void A_dead_code_becomes_one_of_the_batch_s_vectors()
    {
        var (book, parameters) = NewCodebook(codes: 3, decay: 0.1f);
        Learn(book, [.. Enumerable.Range(0, 128).Select(i => (float)(i % 3 * 5))]);
        // only near 0 from now on
        for (var i = 0; i < 6; i++) Learn(book, [.. Enumerable.Range(0, 128).Select(n => n % 64 * 0.01f)]);
        Assert.All(parameters.First().Value.ToArray(), value => Assert.InRange(value, -0.01f, 0.7f));
    }

    static (Codebook Book, ParameterSet Parameters) NewCodebook(int codes, float decay = 0.99f)
    {
        var parameters = new ParameterSet(backend, 1);
        return (new(parameters.Root, codes, depth: 2, decay), parameters);
    }

    /// <param name="grid">[1, 2, 8, 8]: the first coordinate of 64 vectors, then the second.</param>
    static void Learn(Codebook book, float[] grid)
    {
        var tape = new GradientTape(backend);
        book.Learn(tape.FromValues(grid, new(1, 2, 8, 8)));
        tape.ApplyUpdates();
    }

    static VqVaeOptions Quantised { get; } = new()
    {
        Image = new(16, 16, 1),
        Channels = [8, 10],
        Blocks = 1,
        Codes = 11,
        Depth = 3,
        PriorChannels = 8,
        PriorBlocks = 2,
        Likelihood = new BernoulliOptions(),
        Initialization = new NormalInitialization { Deviation = 0.4f },
    };

    [Fact]
    public void The_prior_of_a_place_sees_the_places_before_it_and_no_others()
    {
        var model = (VqVae)Quantised.Build(backend, 1);
        var before = Logits(new float[16]);
        for (var changed = 0; changed < 16; changed++)
        {
            var codes = new float[16];
            codes[changed] = 7;
            var after = Logits(codes);
            int[] places = [.. Enumerable.Range(0, 16).Where(place => !before[place].SequenceEqual(after[place]))];
            Assert.All(places, place => Assert.True(place > changed, $"place {place} sees place {changed}"));
            // at once the one to the right, later rows from what is above
            if (changed % 4 < 3) Assert.Contains(changed + 1, places);
        }

        float[][] Logits(float[] codes) => [.. model.Logits(backend.FromValues(codes, new(1, 16))).ToArray().Chunk(11)];
    }

    [Fact]
    public void The_gradient_goes_straight_through_the_quantisation()
    {
        // Where the decoder stands still, the encoder's output gets the gradient that the codes' vectors would.
        var model = Quantised.Build(backend, 1);
        var tape = new GradientTape(backend);
        var z = tape.Variable(Noise(1, 4));
        var codes = tape.FromValues([1, 2, 3, 4], new(1, 4));
        var gradient = tape.Backward(((z + (codes - z).StopGradient()) * codes).Sum())[z]!;
        Assert.Equal([1, 2, 3, 4], gradient.ToArray());

        var step = new GradientTape(backend);
        var terms = model.Terms(step.FromValues([.. Enumerable.Range(0, 256).Select(i => (float)(i * 7 % 256))],
            new(1, 16, 16, 1)), step.FromValues(new float[48], new(1, 48)));
        var first = model.Parameters.First(parameter => parameter.Name == "encoder.0.weight");
        Assert.Contains(step.Backward(terms.Reconstruction.Sum()).Of(first)!.ToArray(), value => value != 0);
    }

    [Fact]
    public void The_loss_of_codes_is_what_the_prior_says_of_them()
    {
        var model = (VqVae)Quantised.Build(backend, 1);
        var pixels = backend.FromValues([.. Enumerable.Range(0, 512).Select(i => (float)(i * 7 % 256))], new(2, 16, 16, 1));
        var terms = model.Terms(pixels, Noise(2, model.LatentSize));
        var logits = model.Logits(terms.Codes!).ToArray().Chunk(11).ToArray();
        var codes = terms.Codes!.ToArray();
        double[] expected =
            [.. codes.Select((code, place) => Math.Log(logits[place].Sum(value => Math.Exp(value))) - logits[place][(int)code])];
        Assert.All(expected.Zip(terms.Kl.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
        Assert.Equal(codes, model.CodesOf(model.Latent(terms.Codes!)).ToArray());
    }

    [Fact]
    public void Codes_are_drawn_as_often_as_their_probability_says_each_after_those_before()
    {
        // The first place: 1/4, 3/4. The second repeats the first.
        var drawn = Autoregression.Sample(4000, 2, codes =>
            [.. codes.Chunk(2).SelectMany(
                pair => (float[])[MathF.Log(1), MathF.Log(3), pair[0] == 0 ? 0 : -100, pair[0] == 0 ? -100 : 0])], seed: 1);
        Assert.Equal(0.75, drawn.Where((_, i) => i % 2 == 0).Average(), 0.03);
        Assert.All(drawn.Chunk(2), pair => Assert.Equal(pair[0], pair[1]));
        Assert.All(Autoregression.Sample(20, 2, codes => [.. codes.SelectMany(_ => (float[])[0, 1])], seed: 1, temperature: 0),
            code => Assert.Equal(1, code));
    }

    // --- the adversary --------------------------------------------------------------------------------------------------

    [Fact]
    public void Discriminator_and_decoder_each_learn_only_their_own_task()
    {
        var options = new VaeGanOptions
        {
            Image = Small,
            Channels = [6],
            Hidden = 10,
            Latent = 2,
            Discriminator = [5, 6],
            Likelihood = new SquaredErrorOptions { Low = -1 },
        };
        // Without features and pixels, the decoder's gradient is deceit alone; without deceit, nothing is left for it.
        Assert.True(Gradient(options with { FeatureWeight = 0, PixelWeight = 0 }, "decoder.0.weight") > 0);
        Assert.Equal(0, Gradient(options with { FeatureWeight = 0, PixelWeight = 0, AdversaryWeight = 0 }, "decoder.0.weight"));
        // What the decoder is told has no say in how the discriminator learns.
        var judging = Gradient(options, "discriminator.judgement.1.weight");
        Assert.True(judging > 0);
        Assert.Equal(
            judging, Gradient(options with { AdversaryWeight = 7, FeatureWeight = 9 }, "discriminator.judgement.1.weight"), 1e-6);

        static double Gradient(VaeGanOptions options, string name)
        {
            var model = options.Build(backend, 1);
            var tape = new GradientTape(backend);
            var terms = model.Terms(tape.Variable(Pixels(4)), tape.Variable(Noise(4, 2)));
            var gradients = tape.Backward(terms.Reconstruction.Sum() + terms.Penalty!);
            return gradients.Of(model.Parameters.Single(parameter => parameter.Name == name))?.ToArray()
                .Sum(value => Math.Abs((double)value)) ?? 0;
        }
    }

    [Fact]
    public void A_frozen_parameter_passes_gradients_on_and_gets_none()
    {
        var weight = new Parameter("weight", ParameterKind.Weight, backend.FromValues([3], new(1)));
        var tape = new GradientTape(backend);
        var x = tape.Variable(backend.FromValues([2], new(1)));
        Tensor frozen;
        using (tape.FreezeParameters()) frozen = x * tape.FromParameter(weight);
        var gradients = tape.Backward(frozen.Sum());
        Assert.Equal([3], gradients[x]!.ToArray());
        Assert.Null(gradients.Of(weight));
        Assert.Equal([2], tape.Backward((x * tape.FromParameter(weight)).Sum()).Of(weight)!.ToArray());
    }

    [Fact]
    public void A_statistic_changes_when_its_step_is_taken_and_not_before()
    {
        var statistic = new Parameter("mean", ParameterKind.Statistic, backend.FromValues([1], new(1)));
        var tape = new GradientTape(backend);
        tape.Update(statistic, tape.FromParameter(statistic) + 1);
        Assert.Equal([1], statistic.Value.ToArray());
        tape.ApplyUpdates();
        Assert.Equal([2], statistic.Value.ToArray());
    }
}
