using VaeFunctions.Serving;

namespace VaeFunctions.Tests;

public class AnswersTests
{
    [Fact]
    public void A_metric_that_is_no_number_is_answered_by_name()
    {
        var metrics = new Dictionary<string, double> { ["test_loss"] = double.NaN, ["psnr"] = double.PositiveInfinity };

        Assert.Equal("""{"test_loss":"NaN","psnr":"Infinity"}""", Answers.Json(metrics).Content);
    }
}
