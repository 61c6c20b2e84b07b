using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using VaeFunctions.Commands;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Training;

public class NativeErrorTests
{
    [SuppressMessage("Usage", "CA2201", Justification = "TorchSharp throws this type.")]
    static readonly ExternalException OutOfMemory = new("CUDA out of memory. Tried to allocate 2 GiB.\n   at native code");

    [Fact]
    public void Where_memory_runs_out_the_remedy_names_only_options_that_the_command_has()
    {
        const string Said = "libtorch: CUDA out of memory. Tried to allocate 2 GiB.";
        Assert.Equal($"{Said} To go on, give a smaller --batch-size, or compute with --device cpu.",
            NativeError.Explain(OutOfMemory, Options(TrainCommand.Create())));
        Assert.Equal(
            $"{Said} To go on, compute with --device cpu.", NativeError.Explain(OutOfMemory, Options(SweepCommand.Create())));
        Assert.Equal(Said, NativeError.Explain(OutOfMemory, Options(new Command("models"))));
    }

    [Fact]
    public void What_the_operating_system_says_is_not_said_of_libtorch()
    {
        var refused = new Win32Exception(13);
        Assert.Null(NativeError.OfLibtorch(refused));
        Assert.Equal(refused.Message, NativeError.Explain(refused, Options(TrainCommand.Create())));
    }

    static IEnumerable<string> Options(Command command) => command.Options.Select(option => option.Name);
}
