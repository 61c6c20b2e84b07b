using VaeFunctions.Evaluation;

namespace VaeFunctions.Tests;

public sealed class ChartAxisTests
{
    [Theory]
    [InlineData(17.3, 41.9, "10 20 30 40 50")]
    [InlineData(0, 4.1, "0 2 4 6")]
    [InlineData(-0.9, 2.7, "-1 0 1 2 3")]
    [InlineData(100, 100, "100 100.25 100.5 100.75 101")]
    public void Ticks_are_round_numbers_around_the_values(double low, double high, string ticks)
    {
        var axis = ChartAxis.Of([low, high]);
        Assert.False(axis.Logarithmic);
        Assert.Equal(ticks, string.Join(' ', axis.Ticks.Select(tick => FormattableString.Invariant($"{tick:0.####}"))));
    }

    [Theory]
    [InlineData(18.5, 1833, "10 20 50 100 200 500 1000 2000")]
    [InlineData(0.0003, 900, "0.0001 0.001 0.01 0.1 1 10 100 1000")]
    public void Values_of_several_magnitudes_stand_on_a_logarithmic_axis(double low, double high, string ticks)
    {
        var axis = ChartAxis.Of([low, high]);
        Assert.True(axis.Logarithmic);
        Assert.Equal(ticks, string.Join(' ', axis.Ticks.Select(tick => FormattableString.Invariant($"{tick:0.####}"))));
    }

    [Fact]
    public void Every_value_lies_between_the_first_tick_and_the_last()
    {
        var random = new Random(1);
        for (var i = 0; i < 500; i++)
        {
            double[] values =
                [.. Enumerable.Range(0, 3).Select(_ => (random.NextDouble() - 0.3) * Math.Pow(10, random.Next(-6, 7)))];
            var axis = ChartAxis.Of(values);
            Assert.All(values, value => Assert.InRange(axis.Place(value), -1e-6, 1 + 1e-6));
            Assert.InRange(axis.Ticks.Count, 2, 15);
            Assert.Equal(0, axis.Place(axis.Ticks[0]));
            Assert.Equal(1, axis.Place(axis.Ticks[^1]), 9);
        }
    }
}
