namespace VaeFunctions.Evaluation;

/// <summary>What this machine computes with.</summary>
public static class Processor
{
    /// <summary>As the system names it.</summary>
    public static string Name { get; } = (File.Exists("/proc/cpuinfo") ? File.ReadLines("/proc/cpuinfo") : [])
        .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim()
            ?? "a processor whose name is not known";
}
