using Azure.Storage.Queues;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Options;
using VaeFunctions.Registry;
using VaeFunctions.Serving;

try
{
    var builder = FunctionsApplication.CreateBuilder(args);
    builder.ConfigureFunctionsWebApplication();
    builder.UseMiddleware<ProblemMiddleware>();
    // Each line is a message to the host, which has a log of requests itself; a blob that is not there is no warning.
    builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning).AddFilter("Azure", LogLevel.Error);

    builder.Services
        .AddServingOptions()
        .AddStorage(builder.Configuration)
        .AddTelemetry(builder.Configuration)
        .AddSingleton<ModelRegistry>()
        .AddSingleton<ModelProvider>()
        .AddSingleton<NamedVersions>()
        .AddSingleton<ModelFollower>()
        .AddHostedService(services => services.GetRequiredService<ModelFollower>())
        .AddSingleton<ServingMetrics>()
        .AddSingleton<ModelCalls>()
        .AddSingleton<RequestImages>()
        .AddSingleton<RequestLatents>()
        .AddSingleton<ConceptStore>()
        .AddSingleton<Rejections>()
        .AddSingleton<InboxArchives>()
        .AddSingleton<JobStore>()
        .AddSingleton<JobLister>()
        .AddSingleton(services => new JobQueue(services.GetRequiredService<QueueServiceClient>))
        .AddSingleton<JobRecovery>()
        .AddSingleton<JobWorker>();

    builder.Build().Run();
    return 0;
}
catch (Exception fault) when (fault is OptionsValidationException or StorageException)
{
    Console.Error.WriteLine($"A setting is wrong: {fault.Message}");
    return 2;
}
