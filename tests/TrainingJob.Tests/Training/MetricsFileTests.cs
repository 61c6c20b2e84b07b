using VaeFunctions.Registry;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Training;

public class MetricsFileTests
{
    /// <summary>Ten images: a loss of 2 + 0.5 a training image, of 3 + 1 a test image.</summary>
    static EpochMetrics Epoch(int number, double? perplexity = null) =>
        new(number, new(20, 5, 10), new(30, 10, 10) { Perplexity = perplexity, Perceptual = 1.25 }, 1234.56, 7.891)
        {
            KlWeight = 0.25,
            LearningRate = 1e-5,
            SkippedSteps = 3,
        };

    [Fact]
    public void What_is_written_is_a_header_and_a_line_for_each_epoch()
    {
        var lines = MetricsFile.Write([Epoch(1), Epoch(2, perplexity: 6.5)]).Split('\n');
        Assert.Equal("epoch,train_loss,train_reconstruction,train_kl,test_loss,test_reconstruction,test_kl,images_per_second,"
            + "seconds,kl_weight,learning_rate,skipped_steps,perplexity,train_perceptual,test_perceptual", lines[0]);
        Assert.Equal("1,2.5000,2.0000,0.5000,4.0000,3.0000,1.0000,1234.6,7.89,0.25,1E-05,3,,,0.1250", lines[1]);
        Assert.Equal("2,2.5000,2.0000,0.5000,4.0000,3.0000,1.0000,1234.6,7.89,0.25,1E-05,3,6.5,,0.1250", lines[2]);
        Assert.Equal([""], lines[3..]);
    }

    [Fact]
    public void What_is_written_is_read_again_line_by_line_and_by_column()
    {
        var read = MetricsFile.Read(MetricsFile.Write([Epoch(1), Epoch(2, perplexity: 6.5)]));
        Assert.Equal(new MetricsLine(1, 2.5, 2, 0.5, 4, 3, 1, 1234.6, 7.89, 0.25, 1e-5, 3, null, null, 0.125), read[0]);
        Assert.Equal((2, 4.0, 6.5), (read[1].Epoch, read[1].Figure("test_loss"), read[1].Figure("perplexity")));
        Assert.Null(read[0].Figure("perplexity"));
        Assert.Null(read[0].Figure("psnr_db"));
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("epoch,train_loss\n1,2\n", "without train_reconstruction")]
    [InlineData("epoch\nfirst\n", "\"first\" under epoch")]
    public void What_is_no_such_file_is_refused(string csv, string expected) =>
        Assert.Contains(expected, Assert.Throws<ModelFormatException>(() => MetricsFile.Read(csv)).Message);
}
