namespace VaeFunctions.Tests;

public sealed class PluralTests
{
    [Theory]
    [InlineData(0, "0 images")]
    [InlineData(1, "1 image")]
    [InlineData(2, "2 images")]
    [InlineData(1234, "1,234 images")]
    public void A_number_stands_before_one_or_several(long count, string expected) =>
        Assert.Equal(expected, Plural.Of(count, "image"));

    [Fact]
    public void A_verb_or_another_ending_goes_along()
    {
        Assert.Equal("1 epoch is", Plural.Of(1, "epoch is", "epochs are"));
        Assert.Equal("3 epochs are", Plural.Of(3, "epoch is", "epochs are"));
    }

    [Theory]
    [InlineData(1.0, "1 minute")]
    [InlineData(0.5, "0.5 minutes")]
    [InlineData(20.0, "20 minutes")]
    public void An_amount_is_one_only_where_it_is_exactly_one(double amount, string expected) =>
        Assert.Equal(expected, Plural.Of(amount, "minute"));
}
