using VaeFunctions.Data;
using VaeFunctions.Evaluation;
using VaeFunctions.Models;
using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Evaluation;

public sealed class ImportanceWeightedBoundTests
{
    const int Images = 300;

    static readonly ImageDataset Data = new(new(1, 2, 1), [.. Pixels()]);

    static IEnumerable<byte[]> Pixels()
    {
        var random = new RandomStream(5, "pixels");
        for (var i = 0; i < Images; i++) yield return [(byte)random.NextInt(256), (byte)random.NextInt(256)];
    }

    static double Exact { get; } = Enumerable.Range(0, Images)
        .Average(i => LinearGaussian.Exact(Value(Data.Pixels(i)[0]), Value(Data.Pixels(i)[1])));

    static double Value(byte pixel) => pixel * 5 / 255.0 - 2; // the range of the model's likelihood

    static double Bound(Vae model, int draws, ulong seed = 1) =>
        ImportanceWeightedBound.Of(model, Data, draws, Images, seed).Nats;

    [Fact]
    public void With_the_true_posterior_every_draw_gives_the_exact_likelihood()
    {
        // p(x, z) / p(z | x) = p(x) whatever z is.
        var model = LinearGaussian.Of(2 / 3f, 1 / 3f);
        foreach (var draws in (int[])[1, 7, 5000]) Assert.Equal(Exact, Bound(model, draws), 4);
    }

    [Fact]
    public void With_another_posterior_more_draws_come_closer_from_above()
    {
        var model = LinearGaussian.Of(0.4f, 0.6f);
        var bounds = new[] { 1, 10, 100, 5000 }.Select(draws => Bound(model, draws)).ToArray();
        Assert.True(bounds[0] > bounds[1] + 0.05 && bounds[1] > bounds[2] + 0.005, string.Join(", ", bounds));
        Assert.InRange(bounds[3], Exact - 0.005, bounds[2]);
        Assert.Equal(Exact, bounds[3], 0.005);
    }

    [Fact]
    public void One_draw_gives_the_evidence_lower_bound_on_the_average()
    {
        // −ELBO = E[(x − z/√2 …)²] + KL, in closed form: E|x − (z, z)/√2|² = d² + (s − m)² + v with m = gain · s.
        const double gain = 0.4, v = 0.6;
        var exact = Enumerable.Range(0, Images).Average(i =>
        {
            double x1 = Value(Data.Pixels(i)[0]), x2 = Value(Data.Pixels(i)[1]);
            double s = (x1 + x2) / Math.Sqrt(2), d = (x1 - x2) / Math.Sqrt(2), m = gain * s;
            return d * d + (s - m) * (s - m) + v + (m * m + v - 1 - Math.Log(v)) / 2;
        });
        var model = LinearGaussian.Of((float)gain, (float)v);
        var draws = Enumerable.Range(0, 60).Select(seed => Bound(model, 1, (ulong)seed)).ToArray();
        var spread = Math.Sqrt(draws.Average(bound => Math.Pow(bound - draws.Average(), 2)) / draws.Length);
        Assert.InRange(draws.Average() - exact, -4 * spread, 4 * spread);
        Assert.InRange(spread, 0, 0.02);
        // The pass that measures all else draws the same negative ELBO.
        var scores = ImageScores.Of(model, Data, 1, draws: 2000, quality: false);
        Assert.Equal(exact, scores.NegativeElbo.Average(), 0.02);
    }

    [Fact]
    public void Bits_per_dimension_count_the_width_of_a_level()
    {
        // Two pixels; −log p = nats + log π in all; a level is 5/255 wide: (nats / 2 + ½ log π − log(5/255)) / log 2.
        var bound = new ImportanceWeightedBound(1, 1, 3, 0);
        var error = new SquaredErrorOptions { Low = -2, High = 3 };
        Assert.Equal((1.5 + 0.5 * Math.Log(Math.PI) - Math.Log(5 / 255.0)) / Math.Log(2),
            bound.BitsPerDimension(error, new(1, 2, 1)), 9);
        Assert.Equal(1.5 / Math.Log(2), bound.BitsPerDimension(new BernoulliOptions(), new(1, 2, 1)), 9);
        Assert.Equal((1.5 - Math.Log(1 / 255.0)) / Math.Log(2), bound.BitsPerDimension(new GaussianOptions(), new(1, 2, 1)), 9);
        Assert.Equal((1.5 + Math.Log(2) - Math.Log(2 / 255.0)) / Math.Log(2),
            bound.BitsPerDimension(new AbsoluteErrorOptions { Low = -1 }, new(1, 2, 1)), 9);
    }

    [Fact]
    public void The_noise_is_standard_normal_and_depends_on_its_name_alone()
    {
        var noise = new float[1_000_003];
        NormalNoise.Fill(noise, 1, "test", 0);
        Assert.Equal(0, noise.Average(), 0.004);
        Assert.Equal(1, noise.Average(z => (double)z * z), 0.006);
        Assert.Equal(3, noise.Average(z => Math.Pow(z, 4)), 0.05);
        Assert.Equal(0, noise.Zip(noise.Skip(512), (a, b) => (double)a * b).Average(), 0.004); // a pair's two halves
        Assert.Equal(0.3173, noise.Count(z => Math.Abs(z) > 1) / (double)noise.Length, 0.002);
        var (shorter, other) = (new float[777], new float[777]);
        NormalNoise.Fill(shorter, 1, "test", 0);
        NormalNoise.Fill(other, 1, "test", 1);
        Assert.Equal(noise[..777], shorter);
        Assert.NotEqual(shorter, other);
    }

    [Fact]
    public void What_bounds_nothing_is_refused()
    {
        var autoencoder =
            new MlpAutoencoderOptions
            {
                Image = new(1, 2, 1),
                Hidden = [3],
                Latent = 1,
                Likelihood = new SquaredErrorOptions()
            }.Build();
        Assert.Contains("plain autoencoder", Assert.Throws<ArgumentException>(() => Bound(autoencoder, 5)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => Bound(LinearGaussian.Of(1, 1), 0));
    }
}
