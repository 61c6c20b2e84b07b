using VaeFunctions.LocalCloud;

namespace VaeFunctions.Tests;

public class MetricsTests
{
    [Fact]
    public void The_last_row_is_the_last_epoch()
    {
        var metrics = Metrics.Parse("epoch,test_loss\n1,200.5\n2,150.25\n");

        Assert.Equal(150.25, metrics.Last("test_loss"));
    }

    [Fact]
    public void A_missing_column_is_named_beside_those_there_are()
    {
        var error = Assert.Throws<LocalCloudException>(() => Metrics.Parse("epoch,loss\n1,2\n").Last("test_loss"));

        Assert.Contains("test_loss", error.Message, StringComparison.Ordinal);
        Assert.Contains("epoch, loss", error.Message, StringComparison.Ordinal);
    }
}
