using VaeFunctions.Commands;

// The training job: everything about models that is not serving them.
var root = CommandRunner.Root("Trains variational autoencoders and keeps their versions.", TrainingCommands.All());
return await CommandRunner.RunAsync(root, args);
