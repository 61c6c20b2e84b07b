using System.Collections.Concurrent;
using System.Text;
using Azure.Storage.Blobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using VaeFunctions.LocalCloud;
using VaeFunctions.Registry;
using VaeFunctions.Serving;

namespace VaeFunctions.Tests;

/// <summary>Metrics and traces reach a collector: here a server that keeps what OpenTelemetry's protocol posts to it.</summary>
public sealed class TelemetryTests : IAsyncLifetime
{
    readonly AzuriteFixture azurite = new();
    readonly ConcurrentDictionary<string, string> received = new();
    WebApplication collector = null!;

    public async Task InitializeAsync()
    {
        await azurite.InitializeAsync();
        await TinyModel.ServeAsync(new ModelRegistry(new AzureBlobStore(new BlobServiceClient(azurite.ConnectionString))),
            "tiny", "v1");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        collector = builder.Build();
        collector.MapPost("/v1/{signal}", async (string signal, HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            received.AddOrUpdate(signal, Encoding.Latin1.GetString(body.ToArray()), (_, before) =>
                before + Encoding.Latin1.GetString(body.ToArray()));
        });
        await collector.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await collector.DisposeAsync();
        await azurite.DisposeAsync();
    }

    [SkippableFact]
    public async Task Metrics_and_traces_go_to_the_collector_the_last_ones_at_the_end()
    {
        await using var app = await FunctionsApp.StartAsync(azurite.ConnectionString,
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Urls.Single()), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_SERVICE_NAME", "my-faces"));
        await app.ReadyAsync();
        await app.Http.SendAsync(HttpMethod.Get, "models/tiny/sample?count=3").PngAsync();
        await app.Http.SendAsync(HttpMethod.Get, "models/tiny/sample?count=-3").ProblemAsync(400);
        await app.DisposeAsync();

        foreach (var name in new[] { "vae.requests", "vae.request.duration", "vae.rejections", "vae.batch.size",
            "vae.queue.depth", "vae.model", "tiny", "my-faces" })
            Assert.Contains(name, received["metrics"], StringComparison.Ordinal);
        foreach (var name in new[] { "Sample", "http.response.status_code", "my-faces" })
            Assert.Contains(name, received["traces"], StringComparison.Ordinal);
        Assert.Contains("VaeFunctions.Serving.ModelProvider", received["logs"], StringComparison.Ordinal);
        foreach (var category in new[] { "Azure.Core", "Microsoft.AspNetCore" })
            Assert.DoesNotContain(category, received["logs"], StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_collector_that_is_away_costs_no_request()
    {
        await using var app = await FunctionsApp.StartAsync(azurite.ConnectionString,
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"), ("OTEL_METRIC_EXPORT_INTERVAL", "100"),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"));
        await app.ReadyAsync();
        for (var i = 0; i < 10; i++)
            await app.Http.SendAsync(HttpMethod.Get, "models/tiny/sample?count=1").PngAsync();
        await app.DisposeAsync();
    }

    /// <summary>Without the worker: what the services of the settings send.</summary>
    [SkippableFact]
    public async Task What_is_counted_and_traced_is_sent_when_the_services_end()
    {
        await using (var services = Services(
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Urls.Single()), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")))
        {
            services.GetRequiredService<MeterProvider>();
            services.GetRequiredService<TracerProvider>();
            using var activity = ServingMetrics.Traces.StartActivity("Sample");
            services.GetRequiredService<ServingMetrics>().Answered("Sample", "tiny", 200, TimeSpan.FromSeconds(1));
            Assert.NotNull(activity);
        }
        Assert.Contains("vae.requests", received["metrics"], StringComparison.Ordinal);
        Assert.Contains("Sample", received["traces"], StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "the collector", "give a collector's address, such as http://localhost:4317")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://localhost", "give a collector's address, such as http://localhost:4317")]
    [InlineData("APPLICATIONINSIGHTS_CONNECTION_STRING", "InstrumentationKey=secret;x", "has no InstrumentationKey")]
    [InlineData("APPLICATIONINSIGHTS_CONNECTION_STRING", "IngestionEndpoint=https://localhost/", "has no InstrumentationKey")]
    public void A_wrong_destination_is_refused_and_not_repeated_where_it_may_hold_a_key(string setting, string value, string hint)
    {
        var fault = Assert.Throws<OptionsValidationException>(() => Services((setting, value)).Dispose());
        Assert.Contains($"{setting}", fault.Message, StringComparison.Ordinal);
        Assert.Contains(hint, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", fault.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Application_insights_is_a_destination_too()
    {
        using var services = Services(("APPLICATIONINSIGHTS_CONNECTION_STRING",
            $"InstrumentationKey={Guid.Empty};IngestionEndpoint=http://127.0.0.1:9/"));
        Assert.NotNull(services.GetService<MeterProvider>());
        Assert.Null(Services().GetService<MeterProvider>());
    }

    static ServiceProvider Services(params (string Name, string Value)[] settings)
    {
        IConfiguration configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value))).Build();
        return new ServiceCollection().AddSingleton(configuration).AddLogging().AddMetrics().AddSingleton<ServingMetrics>()
            .AddTelemetry(configuration).BuildServiceProvider();
    }

    [SkippableFact]
    public async Task A_collector_without_an_address_is_refused_at_the_start()
    {
        var fault = await Assert.ThrowsAsync<LocalCloudException>(() =>
            FunctionsApp.StartAsync(azurite.ConnectionString, ("OTEL_EXPORTER_OTLP_ENDPOINT", "the collector")));
        Assert.Contains("give a collector's address, such as http://localhost:4317", fault.Message, StringComparison.Ordinal);
    }
}
