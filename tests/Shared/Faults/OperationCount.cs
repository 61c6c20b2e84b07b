using System.Collections.Concurrent;

namespace VaeFunctions.Tests;

/// <summary>Stands before a storage emulator and counts what it is asked for, by kind and by container or queue.</summary>
sealed class OperationCount : IDisposable
{
    readonly ConcurrentDictionary<(string Kind, string Place), int> counts = new();
    readonly FaultProxy proxy;

    /// <param name="connectionString">The emulator's.</param>
    public OperationCount(string connectionString) => proxy = new(connectionString) { Answered = Count };

    public string ConnectionString => proxy.ConnectionString;

    public void Reset() => counts.Clear();

    /// <summary>How often it was asked so far, of places whose name is among some.</summary>
    public int Of(params string[] places) => counts.Where(entry => places.Contains(entry.Key.Place)).Sum(entry => entry.Value);

    /// <summary>How often for this.</summary>
    public int Of(string kind, string place) => counts.GetValueOrDefault((kind, place));

    /// <summary>A line for each kind and place, the most frequent first.</summary>
    public override string ToString() => string.Join('\n', counts.OrderByDescending(entry => entry.Value)
        .ThenBy(entry => entry.Key).Select(entry => $"{entry.Value,7}  {entry.Key.Kind} {entry.Key.Place}"));

    public void Dispose() => proxy.Dispose();

    void Count(string method, string path)
    {
        var parts = path.Split('/', 2);
        // Who asks a container itself lists it.
        counts.AddOrUpdate((parts.Length == 1 && method == "GET" ? "LIST" : method, parts[0]), 1, (_, before) => before + 1);
    }
}
