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
