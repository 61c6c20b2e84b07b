using System.CommandLine;

namespace VaeFunctions.Commands;

/// <summary>The commands of the training job.</summary>
public static class TrainingCommands
{
    /// <summary>All of them, in the order of the help text; new ones at every call, since a command belongs to one
    /// tree.</summary>
    public static IReadOnlyList<Command> All() =>
    [
        TrainCommand.Create(),
        SweepCommand.Create(),
        EvaluateCommand.Create(),
        AnomalyBenchmarkCommand.Create(),
        ResultsCommand.Create(),
        ExportCommand.Create(),
        PublishCommand.Create(),
        RollbackCommand.Create(),
        ModelsCommand.Create(),
        FacesCommand.Create(),
    ];
}
