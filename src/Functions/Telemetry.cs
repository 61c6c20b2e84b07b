using System.Data.Common;
using Azure.Identity;
using Azure.Monitor.OpenTelemetry.Exporter;
using Microsoft.Azure.Functions.Worker.OpenTelemetry;
using Microsoft.Extensions.Options;
using OpenTelemetry;

namespace VaeFunctions.Serving;

/// <summary>Sends metrics, traces and logs where settings say: by OpenTelemetry's protocol to a collector, which
/// OTEL_EXPORTER_OTLP_ENDPOINT names and OpenTelemetry's other settings describe, and to Application Insights, by
/// APPLICATIONINSIGHTS_CONNECTION_STRING. Without either, nothing is sent.</summary>
static class Telemetry
{
    const string Collector = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const string Insights = "APPLICATIONINSIGHTS_CONNECTION_STRING",
        InsightsIdentity = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING";

    /// <exception cref="OptionsValidationException">The collector's address or the connection string is none.</exception>
    public static IServiceCollection AddTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        string collector = configuration[Collector] ?? "", insights = configuration[Insights] ?? "";
        if (collector + insights is "")
            return services;
        var telemetry = services.AddOpenTelemetry().UseFunctionsWorkerDefaults()
            .WithMetrics(metrics => metrics.AddMeter(ServingMetrics.Name))
            .WithTracing(traces => traces.AddSource(ServingMetrics.Name));
        if (collector is not "")
        {
            if (!Uri.TryCreate(collector, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
                throw Wrong(Collector, $"{Collector} is {collector}; give a collector's address, such as http://localhost:4317.");
            telemetry.UseOtlpExporter();
        }
        if (insights is not "")
        {
            if (!HasKey(insights))
                throw Wrong(Insights, $"{Insights} has no InstrumentationKey (it is not repeated here); copy it from the "
                    + "overview of the Application Insights resource.");
            telemetry.UseAzureMonitorExporter(options =>
            {
                options.ConnectionString = insights;
                if (configuration[InsightsIdentity] is { Length: > 0 })
                    options.Credential = new DefaultAzureCredential();
            });
        }
        return services;
    }

    static bool HasKey(string connection)
    {
        try
        {
            return new DbConnectionStringBuilder { ConnectionString = connection }.TryGetValue("InstrumentationKey", out var key)
                && Guid.TryParse((string)key, out _);
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    static OptionsValidationException Wrong(string setting, string message) => new(setting, typeof(Telemetry), [message]);
}
