using System.Net;
using System.Net.Sockets;
using VaeFunctions.LocalFunctions;

namespace VaeFunctions.Tests.Host;

/// <summary>Set-ups that cannot work end at once, with one line and exit code 2.</summary>
public sealed class HostSetupTests : IDisposable
{
    const string Nowhere = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:1/a";

    readonly string file = Path.GetTempFileName();

    public void Dispose() => File.Delete(file);

    [Fact]
    public async Task A_port_in_use_is_said_with_exit_code_2()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var (code, log) = await FunctionsApp.RunAsync(port, ("VaeStorage", Nowhere));
        Assert.Equal(2, code);
        Assert.Contains($"Port {port} is in use", log, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", log, StringComparison.Ordinal); // no stack trace
    }

    [Theory]
    [InlineData("VaeStorage", "", "VaeStorage")]
    [InlineData("VaeStorage", "nonsense", "VaeStorage")]
    [InlineData("Serving__MaxImages", "0", "MaxImages")]
    [InlineData("Serving__MaxImages", "many", "MaxImages")]
    [InlineData("Serving__InboxPauseSeconds", "-1", "InboxPauseSeconds")]
    [InlineData("Serving__MaxImagse", "5", "MaxImagse")]
    [InlineData("FUNCTIONS_PORT", "high", "high")]
    [InlineData("VaeJobRecoverySchedule", "often", "six")]
    public async Task A_wrong_setting_is_named_with_exit_code_2(string name, string value, string hint)
    {
        var (code, log) = await FunctionsApp.RunAsync(name == "FUNCTIONS_PORT" ? value : "0", ("VaeStorage", Nowhere), (name, value));
        Assert.Equal(2, code);
        Assert.Contains(hint, log, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"version": "2.0", "extensons": {}}""", "extensons")]
    [InlineData("""{"version": "2.0", "extensions": {"blobs": {"maxDegreeOfParallelism": "8"}}}""", "$.extensions.blobs.maxDegreeOfParallelism")]
    [InlineData("""{"version": "2.0", "extensions": {"blobs": {"maxDegreeOfParallelism": 0}}}""", "give 1 to 1024")]
    [InlineData("""{"version": "2.0", "extensions": {"blobs": {"poisonBlobThreshold": 1000}}}""", "give 1 to 100")]
    [InlineData("""{"version": "2.0", "extensions": {"queues": {"maxPollingInterval": "00:00:00"}}}""", "give 00:00:00.1 to")]
    [InlineData("""{"version": "2.0", "extensions": {"http": {"routePrefix": null}}}""", "routePrefix")]
    [InlineData("""{"version": "1.0"}""", "only \"2.0\"")]
    [InlineData("""{}""", "version")]
    [InlineData("""null""", "null")]
    [InlineData("""{"version": """, "host.json")]
    public void A_wrong_host_json_is_explained(string json, string hint)
    {
        File.WriteAllText(file, json);
        var fault = Assert.Throws<HostSetupException>(() => HostSettings.Read(file));
        Assert.Contains(hint == "host.json" ? file : hint, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_repository_host_json_is_read()
    {
        var settings = HostSettings.Read(Path.Combine(AppContext.BaseDirectory, "host.json"));
        Assert.Equal("api", settings.Extensions.Http.RoutePrefix);
        Assert.Equal(5, settings.Extensions.Blobs.PoisonBlobThreshold);
    }
}
