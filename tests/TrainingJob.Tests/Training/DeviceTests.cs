using TorchSharp;
using VaeFunctions.Cpu;
using VaeFunctions.Reference;
using VaeFunctions.Registry;
using VaeFunctions.Tensors;
using VaeFunctions.Torch;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Training;

/// <summary>What --device means, and that a training is the same one on each.</summary>
public sealed class DeviceTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("devices-").FullName;

    FolderBlobStore Store => new(folder);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Libtorch without a GPU; on a system for which none is referenced, the test is skipped with the reason.</summary>
    static ITrainingBackend Torch()
    {
        try
        {
            return Devices.Open(Devices.TorchCpu, threads: 1);
        }
        catch (DeviceException e) when (!Libtorch.IsExpected)
        {
            throw new SkipException(e.Message);
        }
    }

    static ITrainingBackend On(string device) => device == Devices.Cpu ? new CpuBackend() : Torch();

    [Fact]
    public void A_machine_without_a_GPU_trains_on_its_own_kernels_unless_told_otherwise()
    {
        Assert.Equal("cpu", Devices.Open(Devices.Cpu).Device);
        if (WhyNot(Devices.Cuda) is not null) Assert.IsType<CpuBackend>(Devices.Open(Devices.Auto));
    }

    [Theory]
    [InlineData("gpu")]
    [InlineData("cuda:")]
    [InlineData("cuda:-1")]
    [InlineData("cuda:1e3")]
    [InlineData("CPU")]
    public void A_device_that_is_none_is_refused_with_those_there_are(string device)
    {
        Assert.Contains($"--device {device}", WhyNot(device));
        Assert.Contains("torch:cpu", WhyNot(device));
    }

    [Fact]
    public void A_GPU_that_is_not_there_is_refused_with_a_remedy()
    {
        var why = WhyNot("cuda:999");
        Assert.Contains(Libtorch.IsExpected ? "--device cuda" : "-p:Torch=cuda", why);
        Assert.Contains("--device cpu", why);
    }

    [Fact]
    public void Without_libtorch_the_message_names_the_builds_that_have_it()
    {
        var why = TorchDevice.WhyAbsent("/app/libLibTorchSharp.so: cannot open shared object file: No such file or directory");
        Assert.Contains("-p:Torch=cuda or -p:Torch=cpu", why);
        Assert.Contains("--device cpu", why);
    }

    [Fact]
    public void An_old_system_is_told_which_ones_libtorch_runs_on()
    {
        var why = TorchDevice.WhyAbsent(
            "/lib/x86_64-linux-gnu/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by /app/libLibTorchSharp.so)");
        Assert.Contains("Debian 13 and Ubuntu 24.04", why);
        Assert.Contains("the training container", why);
        Assert.Contains("--device cpu", why);
    }

    [Fact]
    public void A_back_end_that_convolves_rightly_passes_the_check_at_opening() =>
        Assert.Null(TorchDevice.WhyWrong(new ReferenceBackend()));

    [Fact]
    public void A_back_end_that_convolves_wrongly_is_refused_with_a_remedy()
    {
        var why = TorchDevice.WhyWrong(new ZerosWhereTransposed());
        Assert.Contains("came to 822800, 0 and 822800; each should be 822800", why);
        Assert.Contains("ONEDNN_MAX_CPU_ISA=SSE41", why);
        Assert.Contains("--device cpu", why);
    }

    [SkippableTheory]
    [InlineData(Devices.Cpu, Devices.TorchCpu)]
    [InlineData(Devices.TorchCpu, Devices.Cpu)]
    public async Task A_checkpoint_goes_on_on_another_device(string from, string to)
    {
        var recipe = TinyTraining.Recipe with { Epochs = 6, Averaging = 0.99f };
        var expected = await TrainAsync(TinyTraining.Build(recipe, On(from)), recipe, TrainingState.Start);

        var first = TinyTraining.Build(recipe, On(from));
        var half = await TrainAsync(first, recipe with { Epochs = 3 }, TrainingState.Start);
        await TinyTraining.Run(Store, recipe, first).SaveAsync(half);
        var checkpoint = await Checkpoint.ReadAsync(Store, "discs", "run");
        var second = TinyTraining.Build(recipe with { Seed = 99 }, On(to)); // whatever it starts with is overwritten
        checkpoint.Restore(second);
        Assert.Equal(first.State.Select(slot => slot.Name), second.State.Select(slot => slot.Name));
        Assert.All(first.State.Zip(second.State), pair => Assert.Equal(pair.First.Value.ToArray(), pair.Second.Value.ToArray()));

        var actual = await TrainAsync(second, recipe, checkpoint.State);
        Assert.Equal(expected.History[^1].Test.Loss, actual.History[^1].Test.Loss, 0.01 * expected.History[^1].Test.Loss);
    }

    [SkippableTheory]
    [InlineData("discs")]
    [InlineData("photographs")]
    [InlineData("adversary")]
    public async Task Two_epochs_end_within_a_hundredth_of_each_other(string name)
    {
        var recipe = (name == "discs" ? TinyTraining.Recipe : TechniqueTests.Named(name)) with { Epochs = 2 };
        var torch = await TrainAsync(TinyTraining.Build(recipe, Torch()), recipe, TrainingState.Start);
        var cpu = await TrainAsync(TinyTraining.Build(recipe), recipe, TrainingState.Start);
        Assert.Equal(cpu.History[^1].Train.Loss, torch.History[^1].Train.Loss, 0.01 * cpu.History[^1].Train.Loss);
        Assert.Equal(cpu.History[^1].Test.Loss, torch.History[^1].Test.Loss, 0.01 * cpu.History[^1].Test.Loss);
    }

    /// <summary>A wrapper of libtorch's that no scope disposes of waits for the garbage collector, and a GPU's memory with
    /// it.</summary>
    [SkippableTheory]
    [InlineData("discs")]
    [InlineData("photographs")]
    [InlineData("adversary")]
    public async Task Steps_and_evaluations_leave_no_tensors_behind(string name)
    {
        var named = name == "discs" ? TinyTraining.Recipe : TechniqueTests.Named(name);
        var recipe = named with
        {
            Epochs = 2,
            Averaging = 0.9f,
            ClipNorm = 1,
            Patience = named.Adversary is null ? 5 : null,
            Optimizer = new AdamRecipe { LearningRate = 0.003f }, // of a schedule that does not span the epochs
        };
        var learner = TinyTraining.Build(recipe, Torch());
        var state = await TrainAsync(learner, recipe, TrainingState.Start); // an adversary's part, too
        var before = Held();
        Assert.True(before > 0);
        await TrainAsync(learner, recipe with { Epochs = 6 }, state);
        Assert.InRange(Held(), 0, before);

        // What nobody refers to any more, as the prior of an adversary's part, is the collector's to release.
        static long Held()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return torch.Tensor.TotalCount;
        }
    }

    /// <summary>A device is sent the images once, and then their places; what is drawn anew in every epoch is sent each
    /// time.</summary>
    [SkippableFact]
    public void Images_kept_on_a_device_are_those_of_the_host()
    {
        var (data, model) = (TinyTraining.Data.Train, TinyTraining.Build(TinyTraining.Recipe, Torch()).Model);
        var backend = model.Parameters.Backend;
        using var host = new BatchSource(data, model);
        using var device = new BatchSource(data, model, keepOnDevice: true);
        int[] places = [7, 0, data.Count - 1, 7];
        var expected = host.Gather(places, new(1, "noise")).PixelsOn(backend);
        var batch = device.Gather(places, new(1, "noise"));
        Assert.Empty(batch.Pixels);
        foreach (var pixels in new[] { batch.PixelsOn(backend), batch.PixelsOn(backend.Record()) })
        {
            Assert.Equal(expected.Shape, pixels.Shape);
            Assert.Equal(expected.ToArray(), pixels.ToArray());
        }
        Assert.Equal(host.Gather(places, new(1, "noise"), 1, new(1, "binarization")).Pixels,
            device.Gather(places, new(1, "noise"), 1, new(1, "binarization")).Pixels);
    }

    [SkippableFact]
    public void More_images_than_a_device_should_keep_stay_with_the_host() =>
        Assert.Null(
            Torch().Keep((1 << 20) + 1, 1 << 12, _ => throw new InvalidOperationException("No memory may be asked for.")));

    static string? WhyNot(string device)
    {
        try
        {
            Devices.Open(device);
            return null;
        }
        catch (DeviceException e)
        {
            return e.Message;
        }
    }

    static Task<TrainingState> TrainAsync(Learner learner, Recipe recipe, TrainingState state) =>
        TinyTraining.TrainerOf(recipe, learner, new Silence()).RunAsync(state, default);

    sealed class ZerosWhereTransposed : ReferenceBackend
    {
        public override Tensor ConvTranspose(Tensor x, Tensor weight, Window window) => base.ConvTranspose(x, weight * 0, window);
    }
}
