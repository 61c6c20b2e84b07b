using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Versions that requests ask for by name, beside those that serve. The few that were asked for last stay
/// loaded.</summary>
public sealed class NamedVersions(ModelProvider models) : IDisposable
{
    /// <summary>Two pairs: two people may compare versions at once.</summary>
    const int Most = 4;

    readonly Lock gate = new();
    readonly List<Entry> entries = []; // the last asked for last

    /// <summary>A version of a model, to be disposed after use.</summary>
    /// <exception cref="RequestException">404: the model has no such version.</exception>
    /// <exception cref="ModelUnavailableException">It cannot be used.</exception>
    public async Task<ModelSession> LeaseAsync(string model, string version, CancellationToken cancellation)
    {
        while (true)
        {
            var entry = Touch(model, version);
            try
            {
                var session = await entry.Session.WaitAsync(cancellation);
                if (session.TryLease())
                    return session;
            }
            catch (Exception fault) when (!cancellation.IsCancellationRequested)
            {
                Remove(entry);
                throw fault switch
                {
                    StorageException or ModelUnavailableException or ModelFormatException => fault,
                    RegistryException => new RequestException(StatusCodes.Status404NotFound, fault.Message, fault),
                    _ => new ModelUnavailableException(
                        $"Model {model}, version {version} cannot be used: {fault.Message}", fault),
                };
            }
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            foreach (var entry in entries)
                entry.Dispose();
            entries.Clear();
        }
    }

    Entry Touch(string model, string version)
    {
        lock (gate)
        {
            var found = entries.Find(entry => entry.Model == model && entry.Version == version);
            if (found is not null)
                entries.Remove(found);
            found ??= new(model, version, models.LoadNamedAsync(model, version));
            entries.Add(found);
            for (; entries.Count > Most; entries.RemoveAt(0))
                entries[0].Dispose();
            return found;
        }
    }

    void Remove(Entry entry)
    {
        lock (gate)
            entries.Remove(entry);
    }

    sealed record Entry(string Model, string Version, Task<ModelSession> Session) : IDisposable
    {
        /// <summary>Gives up the owner's lease, once loaded; requests that use it keep theirs.</summary>
        public void Dispose() => Session.ContinueWith(loaded => loaded.Result.Dispose(), CancellationToken.None,
            TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
    }
}
