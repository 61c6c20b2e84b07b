using VaeFunctions.Cpu;
using VaeFunctions.Data;
using VaeFunctions.Evaluation;
using VaeFunctions.Imaging;
using VaeFunctions.Models;
using VaeFunctions.Priors;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;
using VaeFunctions.Tensors;
using VaeFunctions.Tests.Training;

namespace VaeFunctions.Tests.Priors;

public sealed class PriorFitTests
{
    const float Noise = 0.04f;

    /// <summary>Codes whose posteriors have variance 0.04 around what is given.</summary>
    static Codes Around(int latents, int count, Func<RandomStream, float[]> mean)
    {
        var random = new RandomStream(1, "codes");
        return new(latents, [.. Enumerable.Range(0, count).SelectMany(_ => mean(random))],
            [.. Enumerable.Repeat(Noise, count * latents)]);
    }

    /// <summary>Of the aggregate N(0, I): means with the variance that the posteriors leave.</summary>
    static Codes Normal(int count) =>
        Around(3, count, random => [.. random.Gaussians(3).Select(value => value * MathF.Sqrt(1 - Noise))]);

    /// <summary>Three clouds at the corners of a triangle.</summary>
    static Codes Clouds(int count) => Around(3, count, random =>
    {
        var corner = random.NextInt(3);
        return [.. random.Gaussians(3).Select((value, i) => 0.3f * value + (i == corner ? 4 : 0))];
    });

    /// <summary>Six clouds in many latents, which vary together in the same way in each.</summary>
    static Codes Alike(int latents, int count) => Around(latents, count, random =>
    {
        var (cloud, common) = (random.NextInt(6), random.NextGaussian());
        return [.. random.Gaussians(latents).Select((value, i) => 0.3f * value + common + (i == cloud ? 6 : 0))];
    });

    /// <summary>A ring, which no Gaussian is like.</summary>
    static Codes Ring(int count) => Around(2, count, random =>
    {
        var angle = 2 * Math.PI * random.NextDouble();
        return [3 * (float)Math.Cos(angle), 3 * (float)Math.Sin(angle)];
    });

    static PriorFit Fit(Codes codes, bool normal = true, int threads = 1) =>
        PriorFit.Of(codes, normal, new CpuBackend(threads), seed: 1);

    [Fact]
    public void Codes_that_are_normal_together_keep_their_prior_and_no_density_is_published()
    {
        var fit = Fit(Normal(3000));
        Assert.Null(fit.Density);
        Assert.Equal("standard-normal", fit.Comparison!.Chosen);
        Assert.Equal((2700, 300), (fit.Comparison.Fitted, fit.Comparison.HeldOut));
        // −½ (3 · 1 + 3 log 2π): the entropy of N(0, I)
        Assert.Equal(-1.5 - 1.5 * Math.Log(2 * Math.PI), fit.Comparison.LogLikelihoods["standard-normal"], 0.15);
    }

    [Fact]
    public void Clouds_of_codes_are_told_apart_by_a_mixture_that_is_likelier_than_a_Gaussian()
    {
        var fit = Fit(Clouds(900));
        Assert.Equal("mixture", fit.Comparison!.Chosen); // too few codes for a flow
        Assert.Equal(["gaussian", "mixture", "standard-normal", "tied-mixture"], fit.Comparison.LogLikelihoods.Keys);
        var p = fit.Comparison.LogLikelihoods;
        Assert.True(p["mixture"] > p["gaussian"] + 1 && p["gaussian"] > p["standard-normal"], string.Join(", ", p));
        // What is drawn lies in a cloud: one coordinate near 4, the others near 0.
        var random = new RandomStream(3, "draws");
        var backend = new CpuBackend();
        var drawn = fit.Density!.Draw(backend.FromValues(random.Gaussians(300), new(100, 3)),
            backend.FromValues([.. Enumerable.Range(0, 100).Select(_ => (float)random.NextDouble())], new(100))).ToArray();
        var nearACluster = drawn.Chunk(3).Count(z =>
            Math.Abs(z.Max() - 4) < 1.5 && z.Order().Take(2).All(value => Math.Abs(value) < 1.5));
        Assert.InRange(nearACluster, 95, 100);
    }

    [Fact]
    public void Where_latents_are_many_for_the_codes_components_of_one_covariance_are_likelier_than_of_their_own()
    {
        var p = Fit(Alike(latents: 96, count: 600)).Comparison!.LogLikelihoods;
        Assert.True(p["tied-mixture"] > p["mixture"] + 0.1 && p["tied-mixture"] > p["gaussian"] + 0.5, string.Join(", ", p));
    }

    /// <summary>As of a few hundred photographs: ten things vary, in far more latents than there are codes for.</summary>
    [Fact]
    public void Few_codes_of_many_latents_are_fitted_better_than_by_nothing()
    {
        const int Latents = 256, Causes = 10;
        var effects = new RandomStream(2, "effects").Gaussians(Latents * Causes);
        var fit = Fit(Around(Latents, 300, random =>
        {
            var causes = random.Gaussians(Causes);
            return [.. random.Gaussians(Latents).Select((own, i) => 0.7f * own
                + 0.2f * causes.Select((cause, j) => cause * effects[i * Causes + j]).Sum())];
        }));
        var p = fit.Comparison!.LogLikelihoods;
        Assert.NotEqual("standard-normal", fit.Comparison.Chosen);
        Assert.True(p["gaussian"] > p["standard-normal"] + 5, string.Join(", ", p));
    }

    [Fact]
    public void A_flow_or_a_mixture_follows_a_ring_far_better_than_a_Gaussian_does()
    {
        var p = Fit(Ring(3000)).Comparison!.LogLikelihoods;
        Assert.True(p["flow"] > p["gaussian"] + 0.4 && p["mixture"] > p["gaussian"] + 0.4, string.Join(", ", p));
    }

    [Fact]
    public void Any_number_of_threads_fits_the_same_bits()
    {
        var (one, three) = (Fit(Clouds(2500)), Fit(Clouds(2500), threads: 3));
        Assert.Contains("flow", one.Comparison!.LogLikelihoods.Keys);
        Assert.Equal(one.Comparison.LogLikelihoods, three.Comparison!.LogLikelihoods);
        Assert.Equal(DensityFile.Write(one.Density!).ToArray(), DensityFile.Write(three.Density!).ToArray());
        Assert.Equal(one.Axes.Write().ToArray(), three.Axes.Write().ToArray());
    }

    [Fact]
    public void A_model_without_a_prior_of_its_own_gets_the_best_that_fits()
    {
        var fit = Fit(Normal(200), normal: false);
        Assert.NotNull(fit.Density);
        Assert.DoesNotContain("standard-normal", fit.Comparison!.LogLikelihoods.Keys);
    }

    [Fact]
    public void A_handful_of_codes_is_fitted_by_nothing_but_has_axes()
    {
        var fit = Fit(Normal(49));
        Assert.Null(fit.Comparison);
        Assert.Null(fit.Density);
        Assert.Equal(3, fit.Axes.Axes.Length);
    }

    [Fact]
    public void A_latent_that_never_changes_does_no_harm()
    {
        var codes = new Codes(2, [.. Enumerable.Range(0, 400).SelectMany(i => new float[] { i % 7, 0 })], new float[800]);
        var fit = Fit(codes, normal: false);
        Assert.All(fit.Comparison!.LogLikelihoods.Values, value => Assert.True(double.IsFinite(value)));
    }

    [Fact]
    public void The_principal_axes_of_codes_are_theirs_whichever_way_they_are_found()
    {
        // 2 along (0.6, 0.8, 0), 1 along (−0.8, 0.6, 0), 0.5 across; the noise adds to each.
        var codes = Around(3, 400, random => random.Gaussians(3) is [var a, var b, var c]
            ? [2 * 0.6f * a - 0.8f * b + 1, 2 * 0.8f * a + 0.6f * b, 0.5f * c] : []);
        var (all, few) = (CodeStatistics.Of(codes).Leading(3), FewImages.Axes(codes));
        Assert.Equal(0.8f, all.Axes[0][1], 0.05);
        Assert.Equal(MathF.Sqrt(4 + Noise), all.Deviations[0], 0.15);
        for (var axis = 0; axis < 3; axis++)
        {
            Assert.All(all.Axes[axis].Zip(few.Axes[axis]), pair => Assert.Equal(pair.First, pair.Second, 1e-3));
            Assert.Equal(all.Deviations[axis], MathF.Sqrt(few.Deviations[axis] * few.Deviations[axis] + Noise), 1e-3);
        }
    }

    [Fact]
    public async Task A_version_publishes_what_was_fitted_and_a_program_that_loads_it_draws_the_same()
    {
        using var folder = new TemporaryFolder();
        var recipe = TinyTraining.Recipe with
        {
            Model = new MlpAutoencoderOptions
            {
                Image = new(8, 8, 1),
                Hidden = [20],
                Latent = 4,
                Likelihood = new SquaredErrorOptions(),
            },
        };
        var data = DataSplit.Of(TinyTraining.Discs(400, 1), TinyTraining.Discs(30, 2), "discs");
        var store = new FolderBlobStore(folder.Path);
        var (learner, state) = await TinyTraining.TrainAsync(store, recipe, data);
        var registry = new ModelRegistry(store);
        var published = await new Publisher(registry, new())
            .PublishAsync("discs", recipe, data, learner.Model, state.History, force: false);

        Assert.Equal(Prior.Fitted, published.Prior);
        Assert.Contains(published.PriorComparison!.Chosen, published.PriorComparison.LogLikelihoods.Keys);
        Assert.Subset(published.Files.Select(file => file.Name).ToHashSet(),
            new HashSet<string> { "prior.onnx", "density.onnx", "prior.safetensors", "axes.safetensors" });
        var manifest = await registry.ReadManifestAsync("discs", published.Version);
        var (_, loaded) = await Publisher.LoadAsync(registry, manifest, new CpuBackend());
        Assert.Equal(
            ImageCodec.EncodePng(ModelPictures.Samples(learner.Model)!), ImageCodec.EncodePng(ModelPictures.Samples(loaded)!));
    }
}
