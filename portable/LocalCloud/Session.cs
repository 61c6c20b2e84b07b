using System.Text.Json;

namespace VaeFunctions.LocalCloud;

/// <summary>Where a running <c>./vae serve</c> listens, written into its data folder so that <c>./vae drop</c> finds it.</summary>
sealed record Session(int Port, int StoragePort)
{
    const string Name = "serve.json";

    /// <summary>The data folder of serve and drop where none is named.</summary>
    public static string DefaultFolder => Path.Combine(Installation.Root, ".azurite");

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

    public void Write(string folder) => File.WriteAllText(Path.Combine(folder, Name), JsonSerializer.Serialize(this));

    public static void Remove(string folder) => File.Delete(Path.Combine(folder, Name));
}
