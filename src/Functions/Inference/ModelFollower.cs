using Microsoft.Extensions.Options;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Warms up all serving models at the start, then keeps following the pointers of those that are loaded.</summary>
public sealed class ModelFollower(
    ModelProvider models, ModelRegistry registry, IOptions<ServingOptions> options, ILogger<ModelFollower> logger)
    : BackgroundService
{
    static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    /// <summary>Whether every model that existed at the start has been loaded or refused.</summary>
    public bool WarmedUp { get; private set; }

    /// <summary>Why the storage could not be read last time; null where it could.</summary>
    public string? StorageFault { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var wait = options.Value.PointerCheckInterval;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await LookAsync(stoppingToken);
                if (StorageFault is not null)
                    logger.LogInformation("The storage answers again");
                (StorageFault, WarmedUp, wait) = (null, true, options.Value.PointerCheckInterval);
            }
            catch (Exception fault) when (!stoppingToken.IsCancellationRequested)
            {
                if (StorageFault is null)
                    logger.LogWarning(fault, "The pointers to the serving versions cannot be read; what is loaded keeps serving");
                StorageFault = fault.Message;
                wait = wait < Longest ? wait * 1.5 : Longest;
            }
            await Task.Delay(wait, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    async Task LookAsync(CancellationToken cancellation)
    {
        if (WarmedUp)
        {
            foreach (var state in models.States)
                await models.FollowAsync(state.Model, cancellation);
        }
        else
        {
            foreach (var model in await registry.ListModelsAsync(cancellation))
                await models.FollowAsync(model, cancellation);
        }
    }
}
