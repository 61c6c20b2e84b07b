using Microsoft.Azure.Functions.Worker.Builder;
using VaeFunctions.Serving;

var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
builder.UseMiddleware<ProblemMiddleware>();

builder.Services
    .AddServingOptions()
    .AddStorage()
    .AddSingleton<ModelProvider>()
    .AddSingleton<ModelFollower>()
    .AddHostedService(services => services.GetRequiredService<ModelFollower>())
    .AddSingleton<ServingMetrics>()
    .AddHostedService<Telemetry>()
    .AddSingleton<RequestImages>()
    .AddSingleton<RequestLatents>()
    .AddSingleton<ConceptStore>()
    .AddSingleton<JobStore>()
    .AddSingleton<JobQueue>()
    .AddSingleton<JobRecovery>()
    .AddSingleton<JobWorker>();

builder.Build().Run();
