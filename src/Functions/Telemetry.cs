using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace VaeFunctions.Serving;

/// <summary>Sends the meter and the traces to a collector by OpenTelemetry's protocol, where OpenTelemetry's own settings name one:
/// OTEL_EXPORTER_OTLP_ENDPOINT, and besides it OTEL_EXPORTER_OTLP_PROTOCOL, OTEL_EXPORTER_OTLP_HEADERS, OTEL_SERVICE_NAME, … Elsewhere nothing is sent.</summary>
sealed class Telemetry(IConfiguration configuration) : IHostedService
{
    const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    MeterProvider? metrics;
    TracerProvider? traces;

    /// <exception cref="OptionsValidationException">The endpoint is no address.</exception>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (configuration[Endpoint] is not { Length: > 0 } endpoint)
            return Task.CompletedTask;
        if (!Uri.TryCreate(endpoint, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new OptionsValidationException(Endpoint, typeof(Telemetry), [$"{Endpoint} is {endpoint}; give a collector's address, such as http://localhost:4317."]);
        var resource = ResourceBuilder.CreateEmpty().AddTelemetrySdk().AddService("vae-functions").AddEnvironmentVariableDetector();
        metrics = Sdk.CreateMeterProviderBuilder().ConfigureServices(Configure).SetResourceBuilder(resource)
            .AddMeter(ServingMetrics.Name).AddOtlpExporter().Build();
        traces = Sdk.CreateTracerProviderBuilder().ConfigureServices(Configure).SetResourceBuilder(resource)
            .AddSource("Microsoft.AspNetCore", ServingMetrics.Name).AddOtlpExporter().Build();
        return Task.CompletedTask;

        void Configure(IServiceCollection services) => services.AddSingleton(configuration);
    }

    /// <summary>Sends what is left.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        metrics?.Dispose();
        traces?.Dispose();
        return Task.CompletedTask;
    }
}
