using System.Net;
using System.Net.Sockets;
using VaeFunctions.LocalCloud;
using VaeFunctions.LocalCloud.Host;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests.Host;

/// <summary>A set-up that cannot work ends at once, and says which setting is wrong and what it may be.</summary>
public sealed class SetupTests
{
    /// <summary>A storage that does not answer: what is wrong is found without one.</summary>
    const string Nowhere = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;"
        + "BlobEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:1/a";

    [Theory]
    [InlineData("Serving__MaxImages", "0", "between 1 and 4096")]
    [InlineData("Serving__MaxImages", "many", "Give a number")]
    [InlineData("Serving__InboxPauseSeconds", "-1", "between 0 and 300")]
    [InlineData("Serving__MaxImagse", "5", "Serving__MaxImages")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "collector", "http://localhost:4317")]
    [InlineData("APPLICATIONINSIGHTS_CONNECTION_STRING", "nonsense", "overview of the Application Insights resource")]
    public async Task A_wrong_setting_ends_the_worker_with_a_line_that_names_it(string name, string value, string remedy)
    {
        var fault = await Assert.ThrowsAsync<LocalCloudException>(() => FunctionsApp.StartAsync(Nowhere, (name, value)));
        Assert.Contains($"ended with exit code 2.{Environment.NewLine}A setting is wrong: ", fault.Message,
            StringComparison.Ordinal);
        Assert.Contains(name, fault.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", fault.Message, StringComparison.Ordinal); // no stack trace
    }

    [Fact]
    public async Task A_storage_that_makes_no_sense_ends_the_worker_without_being_repeated()
    {
        var fault = await Assert.ThrowsAsync<LocalCloudException>(() => FunctionsApp.StartAsync("AccountKey=secret"));
        Assert.Contains($"ended with exit code 2.{Environment.NewLine}A setting is wrong: {BlobStores.Setting} ", fault.Message,
            StringComparison.Ordinal);
        Assert.DoesNotContain("secret", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    public void A_storage_that_is_none_is_said_with_what_it_may_be(string location)
    {
        var fault = Assert.Throws<StorageException>(() => BlobStores.Open(location));
        Assert.Contains(BlobStores.Setting, fault.Message, StringComparison.Ordinal);
        Assert.Contains("UseDevelopmentStorage=true", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_in_use_is_said_before_anything_starts()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        var log = new StringWriter();
        var fault = await Assert.ThrowsAsync<LocalCloudException>(() => LocalHost.StartAsync(
            new() { App = FunctionsApp.Folder, Port = port, Storage = Nowhere, DataFolder = Path.GetTempPath(), Log = log },
            CancellationToken.None));
        Assert.Contains($"Port {port}", fault.Message, StringComparison.Ordinal);
        Assert.Contains("is in use", fault.Message, StringComparison.Ordinal);
        Assert.Empty(log.ToString());
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("0 3 * *")]
    public async Task A_schedule_that_is_none_is_said_before_anything_starts(string schedule)
    {
        var log = new StringWriter();
        var fault = await Assert.ThrowsAsync<LocalCloudException>(() => LocalHost.StartAsync(
            new()
            {
                App = FunctionsApp.Folder,
                Storage = Nowhere,
                DataFolder = Path.GetTempPath(),
                Log = log,
                Settings = new Dictionary<string, string> { ["VaeJobRecoverySchedule"] = schedule }
            },
            CancellationToken.None));
        Assert.Contains($"VaeJobRecoverySchedule is '{schedule}'", fault.Message, StringComparison.Ordinal);
        Assert.Contains("0 0 */6 * * *", fault.Message, StringComparison.Ordinal);
        Assert.Equal(2, fault.ExitCode);
        Assert.Empty(log.ToString());
    }
}
