using VaeFunctions.Autograd;
using VaeFunctions.Evaluation;
using VaeFunctions.Models;
using VaeFunctions.Reference;
using VaeFunctions.Tensors;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Training;

public sealed class ObjectiveTests
{
    readonly ReferenceBackend backend = new();

    Tensor Of(params float[] values) => backend.FromValues(values, new(values.Length));

    NegativeElbo Terms(float[] reconstruction, float[,] kl, float[] logRatio) =>
        new(Of(reconstruction), backend.FromValues([.. kl.Cast<float>()], new(kl.GetLength(0), kl.GetLength(1))), Of(logRatio));

    [Fact]
    public void The_loss_is_the_mean_of_both_terms_over_images_with_the_KL_weighted()
    {
        var terms = Terms([10, 20], new float[,] { { 1, 2 }, { 3, 4 } }, [0, 0]);
        Assert.Equal(15 + 0.5 * 5, new Objective().Loss(terms, 2, new(1, 1, 1), 0.5f).ToScalar(), 1e-6);
        Assert.Equal(15.0 / 8 + 5, new Objective { PerPixel = true }.Loss(terms, 2, new(2, 4, 1), 1).ToScalar(), 1e-6);
    }

    [Fact]
    public void What_is_printed_of_a_measure_adds_up_to_its_loss()
    {
        // Of 10 images: (1000 / 192 + 40 · 0.5 + 3 · 2) / 10 = 0.5208 + 2 + 0.6.
        var measure = new Measure(1000, 40, 10)
        {
            ReconstructionWeight = 1 / 192.0,
            KlWeight = 0.5,
            Perceptual = 3,
            PerceptualWeight = 2,
        };

        Assert.Equal(3.1208, measure.Loss, 1e-4);
        Assert.Equal(measure.Loss, measure.Shares.Sum(part => part.Share), 1e-12);
        Assert.Equal("reconstruction 0.52083 + KL 2 + perceptual distance 0.6", measure.Sum);
        Assert.Equal("loss = reconstruction · 0.005208 + kl · 0.5 + perceptual · 2", measure.Formula);
        Assert.Equal("0.52083 for what differs from the image, 2 for what its latents tell (KL), 0.6 for how different it looks "
            + "to a pretrained network (perceptual distance)", HtmlReport.InWords(measure));
    }

    [Fact]
    public void The_bound_of_several_draws_is_not_shown_as_a_sum()
    {
        var measure = new Measure(1000, 40, 10) { Bound = 900 };

        Assert.Empty(measure.Shares);
        Assert.Equal("the bound of several draws; of one, reconstruction 100.00, KL 4.00", measure.Sum);
        Assert.Contains("the bound of several draws", HtmlReport.InWords(measure));
    }

    [Fact]
    public void A_penalty_counts_once_per_image() => Assert.Equal(15 + 5 + 3,
        new Objective().Loss(Terms([10, 20], new float[,] { { 1, 2 }, { 3, 4 } }, [0, 0]) with { Penalty = Of(6).Sum() }, 2,
        new(1, 1, 1), 1).ToScalar(), 1e-6);

    [Fact]
    public void Free_bits_are_paid_by_latents_that_carry_less_and_only_the_others_feel_the_KL()
    {
        // The batch's mean KL of the two latents is 0.2 and 3: max(0.5, 0.2) + max(0.5, 3).
        var tape = new GradientTape(backend);
        var kl = tape.Variable(backend.FromValues([0.1f, 2, 0.3f, 4], new(2, 2)));
        var zero = tape.FromValues([0, 0], new(2));
        var loss = new Objective { FreeBits = 0.5f }.Loss(new(zero, kl, zero), 2, new(1, 1, 1), 1);
        Assert.Equal(3.5, loss.ToScalar(), 1e-6);
        Assert.Equal([0, 0.5f, 0, 0.5f], tape.Backward(loss)[kl]!.ToArray());
    }

    [Fact]
    public void Several_samples_bound_the_likelihood_by_the_logarithm_of_their_mean_weight()
    {
        // Two images, two draws each, −log w = reconstruction + log ratio: {1, 2} and {3, 5}.
        var terms = Terms([1, 1, 2, 4], new float[4, 1], [0, 1, 1, 1]);
        var expected = -(Math.Log((Math.Exp(-1) + Math.Exp(-2)) / 2) + Math.Log((Math.Exp(-3) + Math.Exp(-5)) / 2)) / 2;
        Assert.Equal(expected, new Objective { Samples = 2 }.Loss(terms, 2, new(1, 1, 1), 1).ToScalar(), 1e-6);
    }

    [Fact]
    public void More_samples_of_the_same_draws_bound_it_more_tightly()
    {
        var random = new RandomStream(1, "weights");
        var draws = random.Gaussians(60);
        var terms = Terms([.. draws.Select(value => 80 + 3 * value)], new float[60, 1], new float[60]);
        double[] bounds = [.. new[] { 1, 2, 5, 10, 30 }.Select(samples =>
            samples == 1
                ? terms.Reconstruction.Mean().ToScalar()
                : new Objective { Samples = samples }.Loss(terms, 60 / samples, new(1, 1, 1), 1).ToScalar())];
        Assert.Equal(bounds.OrderDescending(), bounds);
    }

    [Fact]
    public void A_model_that_draws_nothing_cannot_draw_several() =>
        Assert.Contains("objective.samples is 3", Assert.Throws<RecipeException>(() =>
            new Objective { Samples = 3 }.Loss(Terms([1, 2], new float[2, 1], [0, 0]), 2, new(1, 1, 1), 1)).Message);

    [Fact]
    public void KL_weights_follow_their_schedules()
    {
        Assert.Equal([4, 4], At(new ConstantKl { Weight = 4 }, 0, 7));
        Assert.Equal([0, 0.5f, 2, 2], At(new LinearKl { Weight = 2, Epochs = 8 }, 0, 2, 8, 100));
        Assert.Equal([5, 4, 1, 1], At(new LinearKl { From = 5, Epochs = 4 }, 0, 1, 4, 5));
        Assert.Equal([0, 0.5f, 1, 1, 0, 0.5f], At(new CyclicalKl { Epochs = 4, Rise = 0.5 }, 0, 1, 2, 3.5, 4, 5));

        static float[] At(KlSchedule schedule, params double[] epochs) => [.. epochs.Select(schedule.At)];
    }

    [Fact]
    public void Learning_rates_warm_up_and_follow_their_schedules()
    {
        Assert.Equal([0, 0.5f, 1, 1], At(new ConstantRate { WarmUp = 2 }, 0, 1, 2, 9));
        Assert.Equal([1, 0.55f, 0.1f], At(new CosineRate { Final = 0.1 }, 0, 5, 10));
        Assert.Equal([0.25f, 1, 0.5f, 0.25f], At(new StepRate { Every = 3, WarmUp = 2 }, 0.5, 2.9, 3, 6));

        static float[] At(RateSchedule schedule, params double[] epochs) =>
            [.. epochs.Select(epoch => (float)Math.Round(schedule.At(epoch, 10), 6))];
    }

    [Fact]
    public void The_compared_loss_has_the_final_weights()
    {
        var sums = new Objective { PerPixel = true, Kl = new LinearKl { Weight = 0.25f } }.MeasureOf(
            Terms([30, 50], new float[,] { { 1, 2 }, { 1, 4 } }, [0, 0]), 2, new(2, 5, 1));
        Assert.Equal(80.0 / 10 / 2 + 0.25 * 8 / 2, sums.Loss, 1e-6);
    }

    [Fact]
    public void Runs_on_several_draws_are_compared_by_the_bound_of_these()
    {
        var objective = new Objective { Samples = 2, Kl = new LinearKl() };
        Measure first = objective.MeasureOf(Terms([10, 12, 7, 7], new float[4, 1], [1, 1, 3, 3]), 2, new(1, 1, 1)),
            second = objective.MeasureOf(Terms([5, 5], new float[2, 1], [0, 0]), 1, new(1, 1, 1));
        var bounds = new[] { -Math.Log((Math.Exp(-11) + Math.Exp(-13)) / 2), 10, 5 };
        Assert.Equal(bounds.Average(), new Measure().Plus(first).Plus(second).Loss, 1e-5);
        Assert.Equal((11 + 7 + 5) / 3.0, first.Plus(second).MeanReconstruction, 1e-6);
    }
}
