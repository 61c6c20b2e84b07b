using VaeFunctions.Registry;

namespace VaeFunctions.LocalCloud;

/// <summary>The models that a storage serves.</summary>
static class Models
{
    /// <summary>The names of the models with a current version, in order.</summary>
    public static async Task<List<string>> ListAsync(IBlobStore store, CancellationToken cancellation)
    {
        var names = new List<string>();
        await foreach (var name in store.ListFoldersAsync("models/", cancellation))
        {
            if (await store.TryReadAsync($"models/{name}/current.json", 1 << 20, cancellation) is not null)
                names.Add(name);
        }
        return names;
    }

    /// <summary>The model that was asked for or, where nobody asked, the only one there is.</summary>
    /// <exception cref="LocalCloudException">There is no such model, or there are several to choose from.</exception>
    public static async Task<string> ChooseAsync(IBlobStore store, string? wanted, CancellationToken cancellation)
    {
        var models = await ListAsync(store, cancellation);
        if (wanted is not null && models.Contains(wanted))
            return wanted;
        if (models.Count == 0)
            throw LocalCloudException.WrongInput($"No model is published in {store.Location}. ./vae train makes one; ./vae serve publishes it.");
        var choice = $"There is: {string.Join(", ", models)}.";
        return wanted is null && models.Count == 1
            ? models[0]
            : throw LocalCloudException.WrongInput(wanted is null
                ? $"Several models are published; choose with --model. {choice}"
                : $"No model '{wanted}' is published in {store.Location}. {choice}");
    }
}
