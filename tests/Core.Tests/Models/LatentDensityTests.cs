using Microsoft.ML.OnnxRuntime;
using VaeFunctions.Cpu;
using VaeFunctions.Models;
using VaeFunctions.Registry;
using VaeFunctions.Tensors;
using VaeFunctions.Tests.Conformance;
using VaeFunctions.Tests.Gradients;

namespace VaeFunctions.Tests.Models;

public sealed class LatentDensityTests
{
    readonly CpuBackend backend = new();

    static readonly double[,] Turned = { { 0.6, 0.8 }, { -0.8, 0.6 } };

    /// <summary>¼ N((−2, 1), C) + ¾ N((3, 0), C′) along axes that are turned, around (0.5, −0.5).</summary>
    GaussianMixture Mixture()
    {
        var mixture = (GaussianMixture)new GaussianMixtureOptions { Latent = 2, Components = 2, Rank = 2 }.Build(backend);
        mixture.Assign([0.5, -0.5], Turned,
            [(1, [-2, 1], new[,] { { 0.5, 0 }, { 0.2, 0.3 } }), (3, [3, 0], new[,] { { 1.0, 0 }, { -0.4, 0.6 } })], []);
        return mixture;
    }

    /// <summary>A flow whose couplings do something, as after some training.</summary>
    CouplingFlow Flow(int latents = 2)
    {
        var flow = (CouplingFlow)new CouplingFlowOptions { Latent = latents, Hidden = 8, Couplings = 4 }.Build(backend, 3);
        var random = new RandomStream(1, "weights");
        foreach (var parameter in flow.Parameters.Where(parameter => parameter.Kind == ParameterKind.Weight))
        {
            float[] values = [.. random.Gaussians(parameter.Shape.Count).Select(value => 0.3f * value)];
            backend.Assign(parameter.Value, backend.FromValues(values, parameter.Shape));
        }
        var axes = new double[latents, latents];
        for (var i = 0; i < latents; i++) axes[i, latents - 1 - i] = 1;
        flow.Whiten([.. Enumerable.Range(0, latents).Select(i => 0.1 * i)], axes,
            [.. Enumerable.Range(0, latents).Select(i => 1 + 0.25 * i)]);
        return flow;
    }

    LatentDensity Of(string kind) => kind == "flow" ? Flow() : Mixture();

    Tensor Draw(LatentDensity density, int count)
    {
        var random = new RandomStream(5, "draws");
        return density.Draw(backend.FromValues(random.Gaussians(count * density.LatentSize), new(count, density.LatentSize)),
            backend.FromValues([.. Enumerable.Range(0, count).Select(_ => (float)random.NextDouble())], new(count)));
    }

    [Fact]
    public void The_density_of_a_mixture_is_what_the_formula_says()
    {
        foreach (var (x, y) in ((double, double)[])[(0, 0), (-1, 2), (3.5, 2), (-0.7, -1.9)])
        {
            // y = axes · (z − m), and N(y; μ, C·Cᵀ) with C = (a 0; b c) is that of u = (d₁ / a, (d₂ − b · u₁) / c).
            double along = 0.6 * (x - 0.5) + 0.8 * (y + 0.5), across = -0.8 * (x - 0.5) + 0.6 * (y + 0.5);
            var expected = Math.Log(0.25 * Density(along + 2, across - 1, 0.5, 0.2, 0.3)
                + 0.75 * Density(along - 3, across, 1, -0.4, 0.6));
            var actual = Mixture().LogDensity(backend.FromValues([(float)x, (float)y], new(1, 2))).ToArray();
            Assert.Equal(expected, Assert.Single(actual), 1e-4 * Math.Abs(expected));
        }

        static double Density(double first, double second, double a, double b, double c)
        {
            double u = first / a, v = (second - b * u) / c;
            return Math.Exp(-0.5 * (u * u + v * v)) / (2 * Math.PI * a * c);
        }
    }

    [Theory]
    [InlineData("mixture")]
    [InlineData("flow")]
    public void A_density_integrates_to_one_and_its_draws_are_spread_as_it_says(string kind)
    {
        const int side = 400;
        const float step = 0.05f, low = -10;
        var density = Of(kind);
        float[] grid = [.. Enumerable.Range(0, side * side).SelectMany(i =>
            new[] { low + step * (i % side), low + step * (i / side) })];
        var p = Array.ConvertAll(density.LogDensity(backend.FromValues(grid, new(side * side, 2))).ToArray(),
            log => Math.Exp(log) * step * step);
        Assert.Equal(1, p.Sum(), 0.01);

        const int count = 40_000;
        var drawn = Draw(density, count).ToArray();
        for (var axis = 0; axis < 2; axis++)
        {
            var mean = p.Select((mass, i) => mass * grid[2 * i + axis]).Sum();
            var square = p.Select((mass, i) => mass * grid[2 * i + axis] * grid[2 * i + axis]).Sum();
            float[] values = [.. drawn.Where((_, i) => i % 2 == axis)];
            Assert.Equal(mean, values.Average(), 0.05);
            Assert.Equal(square, values.Average(value => (double)value * value), 0.03 * square + 0.05);
        }
    }

    [Fact]
    public void Axes_beyond_the_rank_of_a_mixture_have_one_spread_for_all_components()
    {
        var mixture = (GaussianMixture)new GaussianMixtureOptions { Latent = 3, Components = 1, Rank = 1 }.Build(backend);
        mixture.Assign(
            [0, 0, 0], new double[,] { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } }, [(1, [0], new[,] { { 2.0 } })], [0.5, 3]);
        var point = backend.FromValues([2, 0.5f, -3], new(1, 3)); // one standard deviation along each
        Assert.Equal(-1.5 - 1.5 * Math.Log(2 * Math.PI) - Math.Log(2 * 0.5 * 3), mixture.LogDensity(point).ToArray()[0], 1e-4);
        var drawn = mixture.Draw(backend.FromValues([1, 1, 1], new(1, 3)), backend.FromValues([0.5f], new(1))).ToArray();
        Assert.Equal([2, 0.5f, 3], drawn);
    }

    [Fact]
    public void A_choice_takes_each_component_as_often_as_its_weight_and_noise_of_0_its_mean()
    {
        float[] choices = [0, 0.2499f, 0.2501f, 0.9999999f, 1];
        var drawn = Mixture().Draw(backend.FromValues(new float[10], new(5, 2)), backend.FromValues(choices, new(5))).ToArray();
        // m + axesᵀ · μ: (0.5, −0.5) + (−2 · 0.6 − 1 · 0.8, −2 · 0.8 + 1 · 0.6) and (0.5, −0.5) + (1.8, 2.4)
        foreach (var (i, first) in new[] { -1.5f, -1.5f, 2.3f, 2.3f, 2.3f }.Index()) Assert.Equal(first, drawn[2 * i], 1e-5);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public void A_flow_gives_back_the_noise_that_it_was_drawn_from(int latents)
    {
        var flow = Flow(latents);
        // Where density and draw are each other's inverse, log p(draw) + ½ |noise|² changes by the map's own determinant only,
        // which finite differences of the draw give as well.
        var noise = new RandomStream(2, "noise").Gaussians(latents);
        var jacobian = new double[latents, latents];
        const float step = 1e-2f;
        for (var i = 0; i < latents; i++)
        {
            var (up, down) = (At(i, step), At(i, -step));
            for (var j = 0; j < latents; j++) jacobian[i, j] = (up[j] - down[j]) / (2.0 * step);
        }
        var expected = -0.5 * noise.Sum(value => value * value) - 0.5 * latents * Math.Log(2 * Math.PI)
            - Math.Log(Math.Abs(Determinant(jacobian)));
        var actual = flow.LogDensity(backend.FromValues(At(0, 0), new(1, latents))).ToArray()[0];
        Assert.Equal(expected, actual, 0.02);

        float[] At(int place, float by)
        {
            float[] moved = [.. noise];
            moved[place] += by;
            return flow.Draw(backend.FromValues(moved, new(1, latents)), backend.FromValues([0], new(1))).ToArray();
        }
    }

    [Fact]
    public void The_gradients_of_a_flow_and_a_mixture_are_those_of_finite_differences()
    {
        var latents = Numbers.Gaussian("latents", 3, 2);
        foreach (var density in (LatentDensity[])[Flow(), Mixture()])
            GradientCheck.AgainstDifferences((_, inputs) => density.LogDensity(inputs[0]), latents);
    }

    [Theory]
    [InlineData("mixture")]
    [InlineData("flow")]
    public void The_published_graphs_compute_the_same_in_Onnx_Runtime(string kind)
    {
        const int count = 7;
        var density = Of(kind);
        var random = new RandomStream(5, "draws");
        var noise = random.Gaussians(count * 2);
        float[] choices = [.. Enumerable.Range(0, count).Select(_ => (float)random.NextDouble())];
        using var options = new RunOptions();
        using var prior = new InferenceSession(PublishedGraphs.Prior(density).ToArray());
        using var judge = new InferenceSession(PublishedGraphs.Density(density).ToArray());
        using var noiseValue = OrtValue.CreateTensorValueFromMemory(noise, [count, 2]);
        using var choiceValue = OrtValue.CreateTensorValueFromMemory(choices, [count]);
        using var drawn = prior.Run(options, ["noise", "choice"], [noiseValue, choiceValue], ["latent"]);
        using var judged = judge.Run(options, ["latent"], [drawn[0]], ["log_density"]);

        var expected = Draw(density, count);
        Assert.All(expected.ToArray().Zip(drawn[0].GetTensorDataAsSpan<float>().ToArray()),
            pair => Assert.Equal(pair.First, pair.Second, 1e-4));
        Assert.All(density.LogDensity(expected).ToArray().Zip(judged[0].GetTensorDataAsSpan<float>().ToArray()),
            pair => Assert.Equal(pair.First, pair.Second, 1e-3));
    }

    [Fact]
    public void The_published_density_of_codes_is_the_product_of_their_probabilities()
    {
        var options = new VqVaeOptions
        {
            Image = new(8, 8, 1),
            Channels = [6],
            Blocks = 0,
            Codes = 5,
            Depth = 3,
            PriorChannels = 6,
            PriorBlocks = 1,
            Likelihood = new BernoulliOptions(),
        };
        var model = (VqVae)options.Build(backend, 1);
        using var judge = new InferenceSession(PublishedGraphs.Density(model, model.LatentSize).ToArray());
        var latents = new RandomStream(6, "latents").Gaussians(2 * model.LatentSize);
        using var value = OrtValue.CreateTensorValueFromMemory(latents, [2, model.LatentSize]);
        using var run = new RunOptions();
        using var judged = judge.Run(run, ["latent"], [value], ["log_density"]);

        var codes = model.CodesOf(backend.FromValues(latents, new(2, model.LatentSize)));
        var (chosen, logits) = (codes.ToArray(), model.Logits(codes).ToArray());
        for (var image = 0; image < 2; image++)
        {
            double sum = 0;
            for (var place = 0; place < model.Places; place++)
            {
                var all = logits.AsSpan((image * model.Places + place) * 5, 5).ToArray();
                sum += all[(int)chosen[image * model.Places + place]] - Math.Log(all.Sum(logit => Math.Exp(logit)));
            }
            Assert.Equal(sum, judged[0].GetTensorDataAsSpan<float>()[image], 1e-3);
        }
    }

    [Theory]
    [InlineData("mixture")]
    [InlineData("flow")]
    public void A_density_survives_being_written_and_read(string kind)
    {
        var density = Of(kind);
        var read = DensityFile.Read(DensityFile.Write(density), 2, backend);
        Assert.Equal(Draw(density, 9).ToArray(), Draw(read, 9).ToArray());
        Assert.Contains("is of 2 latents; the model has 3",
            Assert.Throws<CheckpointException>(() => DensityFile.Read(DensityFile.Write(density), 3, backend)).Message);
        Assert.Contains("no density", Assert.Throws<CheckpointException>(
            () => DensityFile.Read(Safetensors.Write([new("x", new(1), [1f])]), 2, backend)).Message);
    }

    /// <summary>By Gaussian elimination.</summary>
    static double Determinant(double[,] a)
    {
        double determinant = 1;
        var size = a.GetLength(0);
        for (var column = 0; column < size; column++)
        {
            var pivot = Enumerable.Range(column, size - column).MaxBy(row => Math.Abs(a[row, column]));
            if (pivot != column) determinant = -determinant;
            for (var k = 0; k < size; k++) (a[column, k], a[pivot, k]) = (a[pivot, k], a[column, k]);
            determinant *= a[column, column];
            for (var row = column + 1; row < size; row++)
            {
                var factor = a[row, column] / a[column, column];
                for (var k = column; k < size; k++) a[row, k] -= factor * a[column, k];
            }
        }
        return determinant;
    }
}
