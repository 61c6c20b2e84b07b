using VaeFunctions.Registry;

namespace VaeFunctions.LocalCloud;

/// <summary>The training job, talking where this program talks.</summary>
static class Trainer
{
    /// <summary>Runs one of its commands to the end and gives the exit code; stopped early, it has time to leave a checkpoint.</summary>
    public static async Task<int> RunAsync(IEnumerable<string> arguments, string connectionString, CancellationToken cancellation)
    {
        await using var trainer = ChildProcess.Start(
            "The trainer", Installation.TrainingJob, arguments, new Dictionary<string, string> { [BlobStores.Setting] = connectionString });
        return await trainer.WaitForExitAsync(cancellation);
    }
}
