using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests.Registry;

public sealed class PromotionGateTests
{
    readonly PromotionGate gate = new();
    readonly Manifest serving = ManifestTests.Example(version: "v1", loss: 100);

    static Manifest Candidate(double loss) => ManifestTests.Example(version: "v2", loss: loss);

    [Theory]
    [InlineData(100, 90, true)]
    [InlineData(100, 100.9, true)]
    [InlineData(100, 101.1, false)]
    [InlineData(-100, -99.1, true)] // a likelihood of densities can be negative: 1 % of its size
    [InlineData(-100, -98.9, false)]
    [InlineData(0, 0, true)]
    [InlineData(0, 0.001, false)]
    public void A_loss_within_one_per_cent_of_the_serving_one_passes(double servingLoss, double loss, bool passes)
    {
        var promotion = gate.Decide(Candidate(loss), ManifestTests.Example(version: "v1", loss: servingLoss));

        Assert.Equal(passes, promotion.Promoted);
        Assert.False(promotion.Forced);
        Assert.Equal(("v1", loss, servingLoss), (promotion.ComparedWith, promotion.Loss, promotion.ServingLoss));
    }

    [Fact]
    public void The_reason_gives_both_losses_and_the_limit() =>
        Assert.Equal("Test loss 102 against 100 of the serving v1; with a tolerance of 1% up to 101 passes.",
            gate.Decide(Candidate(102), serving).Reason);

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void A_loss_that_is_not_finite_never_passes_not_even_by_force(double loss)
    {
        Assert.False(gate.Decide(Candidate(loss), serving).Promoted);
        Assert.False(gate.Decide(Candidate(loss), null).Promoted);
        Assert.False(gate.Decide(Candidate(loss), serving, force: true).Promoted);
        Assert.False(
            gate.Decide(Candidate(1) with { Metrics = new Dictionary<string, double>() }, serving, force: true).Promoted);
    }

    [Fact]
    public void Where_nothing_serves_or_what_serves_has_diverged_a_finite_loss_passes()
    {
        Assert.True(gate.Decide(Candidate(1e6), null).Promoted);
        Assert.True(gate.Decide(Candidate(1e6), ManifestTests.Example(version: "v1", loss: double.NaN)).Promoted);
    }

    [Fact]
    public void Force_passes_a_worse_loss_and_is_recorded_only_where_it_was_needed()
    {
        var worse = gate.Decide(Candidate(200), serving, force: true);
        Assert.True(worse is { Promoted: true, Forced: true });
        Assert.StartsWith("Forced. Test loss 200", worse.Reason, StringComparison.Ordinal);
        Assert.True(gate.Decide(Candidate(90), serving, force: true) is { Promoted: true, Forced: false });
    }

    public static TheoryData<string, Func<Manifest, Manifest>> Differences() => new()
    {
        { "data", manifest => manifest with { Data = manifest.Data with { Fingerprint = "fp-2" } } },
        { "loss", manifest => manifest with { Loss = "cross-entropy + KL" } },
        { "images", manifest => manifest with { Image = new ImageShape(64, 64, 3) } },
    };

    [Theory]
    [MemberData(nameof(Differences))]
    public void Losses_of_different_kinds_are_compared_only_when_measured_anew(string what, Func<Manifest, Manifest> change)
    {
        var candidate = change(Candidate(50));

        var refused = gate.Decide(candidate, serving);
        Assert.False(refused.Promoted);
        Assert.Contains($"its {what}", refused.Reason, StringComparison.Ordinal);
        Assert.True(gate.Decide(candidate, serving, force: true) is { Promoted: true, Forced: true });

        Assert.True(gate.Decide(candidate, serving, servingLossOnSameData: 50).Promoted);
        Assert.False(gate.Decide(candidate, serving, servingLossOnSameData: 40).Promoted);
    }

    [Fact]
    public void A_tolerance_that_makes_no_sense_is_refused()
    {
        foreach (var tolerance in (double[])[-0.01, double.NaN, double.PositiveInfinity])
            Assert.Throws<ArgumentOutOfRangeException>(() => new PromotionGate { Tolerance = tolerance });
        Assert.True(new PromotionGate { Tolerance = 0.5 }.Decide(Candidate(149), serving).Promoted);
    }
}
