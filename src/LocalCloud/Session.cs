using System.Text.Json;
using VaeFunctions.Registry;

namespace VaeFunctions.LocalCloud;

/// <summary>Where a running <c>./vae serve</c> listens, written into its data folder so that <c>./vae drop</c> finds
/// it.</summary>
sealed record Session(int Port, int StoragePort)
{
    const string Name = "serve.json";

    /// <summary>Names the data folder for all commands, also those that have no option for it.</summary>
    const string Variable = "VAE_DATA";

    /// <summary>The data folder of serve, and of what works beside it, where none is named.</summary>
    public static string DefaultFolder => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named
        ? Path.GetFullPath(named)
        : Path.Combine(Installation.Root, ".azurite");

    public static Session? TryRead(string folder)
    {
        try
        {
            return JsonSerializer.Deserialize<Session>(File.ReadAllText(Path.Combine(folder, Name)));
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Takes a data folder until the result is disposed of; null where a serve has it already.</summary>
    public static FileStream? TryHold(string folder)
    {
        for (var tries = 5; ;)
        {
            try
            {
                return new FileStream(Path.Combine(folder, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (--tries > 0)
            {
                Thread.Sleep(20); // IsHeld takes it for a moment, so this may have met such a question
            }
            catch (IOException)
            {
                return null;
            }
        }
    }

    /// <summary>Whether a serve has a data folder, even if it does not serve yet.</summary>
    public static bool IsHeld(string folder)
    {
        if (!Directory.Exists(folder))
            return false;
        using var held = TryHold(folder);
        return held is null;
    }

    public void Write(string folder) => File.WriteAllText(Path.Combine(folder, Name), JsonSerializer.Serialize(this));

    public static void Remove(string folder) => File.Delete(Path.Combine(folder, Name));

    /// <summary>Beside a running <c>./vae serve</c>, commands that work on the storage account of the settings take its, unless
    /// another is named. Says whether they do.</summary>
    public static bool UseStorageOfServe()
    {
        if (BlobStores.IsNamed(BlobStores.Environment) || TryRead(DefaultFolder) is not { } session || !IsHeld(DefaultFolder))
            return false;
        Environment.SetEnvironmentVariable(BlobStores.Setting, Azurite.ConnectionString(session.StoragePort));
        return true;
    }
}
