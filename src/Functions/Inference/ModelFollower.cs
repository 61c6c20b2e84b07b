using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Warms up all serving models at the start, then keeps following the pointers of those that are loaded; each by itself,
/// so that one that cannot be read holds up no other.</summary>
public sealed class ModelFollower(
    ModelProvider models, ModelRegistry registry, IOptions<ServingOptions> options, ILogger<ModelFollower> logger)
    : BackgroundService
{
    static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    /// <summary>The models that were looked at, and why that failed the last time, or null.</summary>
    readonly ConcurrentDictionary<string, string?> looks = new(StringComparer.Ordinal);

    volatile IReadOnlyList<string>? atStart;
    volatile string? listingFault;

    /// <summary>Whether every model that existed at the start has been looked at.</summary>
    public bool WarmedUp => atStart?.All(looks.ContainsKey) == true;

    /// <summary>The models whose pointer could not be read the last time, and why.</summary>
    public IEnumerable<(string Model, string Why)> Unreadable =>
        looks.Where(look => look.Value is not null).Select(look => (look.Key, look.Value!)).Order();

    /// <summary>Why the storage could not be read last time; null where it could.</summary>
    public string? StorageFault =>
        listingFault ?? (Unreadable.Any() ? string.Join(' ', Unreadable.Take(3).Select(look => look.Why)) : null);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var following = new Dictionary<string, Task>(StringComparer.Ordinal);
        var wait = options.Value.PointerCheckInterval;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                atStart ??= await registry.ListModelsAsync(stoppingToken);
                foreach (var model in atStart.Where(model => !following.ContainsKey(model)))
                    following[model] = FollowAsync(model, stoppingToken);
                foreach (var model in models.States.Select(state => state.Model))
                {
                    if (!following.TryGetValue(model, out var task) || task.IsCompleted)
                        following[model] = FollowAsync(model, stoppingToken);
                }
                (listingFault, wait) = (null, options.Value.PointerCheckInterval);
            }
            catch (Exception fault) when (!stoppingToken.IsCancellationRequested)
            {
                if (listingFault is null)
                    logger.LogWarning(fault, "The models cannot be listed; what is loaded keeps serving");
                listingFault = fault.Message;
                wait = Longer(wait);
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                // What a stop interrupts may fail in any way.
            }
            await Task.Delay(wait, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await Task.WhenAll(following.Values);
    }

    /// <summary>Looks at a model's pointer again and again, until the model is gone.</summary>
    async Task FollowAsync(string model, CancellationToken stopping)
    {
        var wait = options.Value.PointerCheckInterval;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await models.FollowAsync(model, stopping);
                if (looks.TryGetValue(model, out var before) && before is not null)
                    logger.LogInformation("The pointer of {Model} can be read again", model);
                (looks[model], wait) = (null, options.Value.PointerCheckInterval);
                if (models.States.All(state => state.Model != model))
                    return;
            }
            catch (Exception fault) when (!stopping.IsCancellationRequested)
            {
                if (looks.GetValueOrDefault(model) is null)
                    logger.LogWarning(fault, "The pointer of {Model} cannot be read; what is loaded keeps serving", model);
                (looks[model], wait) = (fault.Message, Longer(wait));
            }
            catch (Exception) when (stopping.IsCancellationRequested)
            {
                return; // what a stop interrupts may fail in any way
            }
            await Task.Delay(wait, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    static TimeSpan Longer(TimeSpan wait) => wait < Longest ? wait * 1.5 : Longest;
}
