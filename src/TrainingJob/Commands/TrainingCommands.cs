using System.CommandLine;
using VaeFunctions.Sessions;

namespace VaeFunctions.Commands;

/// <summary>The commands of the training job.</summary>
public static class TrainingCommands
{
    /// <summary>All of them, in the order of the help text; new ones at every call, since a command belongs to one
    /// tree.</summary>
    /// <param name="served">The store whose models serve, for commands about those where no store is named.</param>
    public static IReadOnlyList<Command> All(string served = Stores.DefaultFolder) =>
    [
        TrainCommand.Create(),
        SweepCommand.Create(),
        EvaluateCommand.Create(),
        AnomalyBenchmarkCommand.Create(),
        ResultsCommand.Create(),
        ExportCommand.Create(),
        PublishCommand.Create(),
        RollbackCommand.Create(served),
        ModelsCommand.Create(served),
        FacesCommand.Create(),
    ];
}
