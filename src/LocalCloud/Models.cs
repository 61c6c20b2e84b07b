using Spectre.Console;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;

namespace VaeFunctions.LocalCloud;

/// <summary>The models that a storage serves.</summary>
static class Models
{
    /// <summary>The models with a serving version, in order: name and version. One whose pointer is damaged is left out, which is
    /// said.</summary>
    public static async Task<List<(string Name, string Version)>> ListAsync(IBlobStore store, CancellationToken cancellation)
    {
        var registry = new ModelRegistry(store);
        var serving = new List<(string, string)>();
        foreach (var name in await registry.ListModelsAsync(cancellation))
        {
            try
            {
                if (await registry.ReadCurrentAsync(name, cancellation) is { } current)
                    serving.Add((name, current.Version));
            }
            catch (ModelFormatException damaged)
            {
                AnsiConsole.MarkupLineInterpolated($"[yellow]Left out {name}. {damaged.Message}[/]");
            }
        }
        return serving;
    }

    /// <summary>The model that was asked for or, where nobody asked, the only one there is.</summary>
    /// <exception cref="LocalCloudException">There is no such model, or there are several to choose from.</exception>
    public static async Task<string> ChooseAsync(IBlobStore store, string? wanted, CancellationToken cancellation)
    {
        var models = (await ListAsync(store, cancellation)).ConvertAll(model => model.Name);
        if (wanted is not null && models.Contains(wanted))
            return wanted;
        if (models.Count == 0)
            throw LocalCloudException.WrongInput($"No model is published in {store.Location}. ./vae train makes one, ./vae "
                + "publish NAME publishes it beside a running ./vae serve.");
        var choice = $"There is: {string.Join(", ", models)}.";
        return wanted is null && models.Count == 1
            ? models[0]
            : throw LocalCloudException.WrongInput(wanted is null
                ? $"Several models are published; choose with --model. {choice}"
                : $"No model '{wanted}' is published in {store.Location}. {choice} If ./vae train made it, "
                    + $"./vae publish {wanted} publishes it.");
    }

    /// <summary>Publishes what serves in a folder of <c>./vae train</c> and neither serves nor served in the storage; the gate
    /// decides whether it serves there.</summary>
    /// <exception cref="LocalCloudException">A model is damaged; says how to go on.</exception>
    public static async Task PublishAsync(string runs, IBlobStore store, CancellationToken cancellation)
    {
        var registry = new ModelRegistry(store);
        var publisher = new Publisher(registry, new());
        foreach (var (name, version) in await ListAsync(new FolderBlobStore(runs), cancellation))
        {
            var (there, _) = await registry.TryReadCurrentAsync(name, cancellation);
            if (there?.Knows(version) == true)
                continue;
            try
            {
                await publisher.CopyAsync(new(new FolderBlobStore(runs)), name, version, cancellation: cancellation);
            }
            catch (ExplainedException fault)
            {
                throw new LocalCloudException(
                    $"{name} of {runs} could not be published. {fault.Message} Mend it, or serve without it: --runs DIR");
            }
        }
    }
}
