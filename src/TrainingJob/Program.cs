using System.CommandLine;
using VaeFunctions.Commands;

// The training job: everything about models that is not serving them.
var root = new RootCommand("Trains variational autoencoders and keeps their versions. ./vae runs it.")
{
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
};
return await CommandRunner.RunAsync(root, args);
