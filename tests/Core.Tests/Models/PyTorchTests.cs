using VaeFunctions.Autograd;
using VaeFunctions.Cpu;
using VaeFunctions.Models;
using VaeFunctions.Registry;
using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Models;

/// <summary>The CIFAR-10 model against PyTorch itself: its state_dict loads, and outputs, loss and gradients agree.</summary>
public sealed class PyTorchTests
{
    [SkippableFact]
    public void A_PyTorch_state_dict_loads_and_gives_the_same_outputs_loss_and_gradients()
    {
        var python = ExternalProgram.PythonWith("torch", "python3-torch");
        var folder = Directory.CreateTempSubdirectory("pytorch-").FullName;
        try
        {
            var (exitCode, _, errors) = ExternalProgram.Run(
                python, Path.Combine(AppContext.BaseDirectory, "Models", "PyTorchModels.py"), folder)!.Value;
            Assert.True(exitCode == 0, errors);
            Compare(Read("weights"), Read("inputs"), Read("expected"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        SafetensorsFile Read(string name) =>
            Safetensors.Read(new(File.ReadAllBytes(Path.Combine(folder, name + ".safetensors"))));
    }

    static void Compare(SafetensorsFile weights, SafetensorsFile inputs, SafetensorsFile expected)
    {
        var backend = new CpuBackend();
        var model = new ConvVaeOptions
        {
            Image = new(32, 32, 3),
            Channels = [32, 64, 128],
            Hidden = 1024,
            Latent = 128,
            Likelihood = new SquaredErrorOptions { Low = -1, High = 1 },
        }.Build(backend, 1);
        Assert.Equal(4_923_587, model.Parameters.WeightCount);
        ParameterFile.Load(weights, model.Parameters, backend);

        Shape shape = new(6, 32, 32, 3), noiseShape = new(6, 128);
        var pixels = backend.FromValues(inputs.GetFloats("pixels"), shape);
        var noise = backend.FromValues(inputs.GetFloats("noise"), noiseShape);
        var posterior = model.EncodePixels(pixels);
        Close(expected.GetFloats("mean"), posterior.Mean.ToArray(), 1e-4f);
        Close(expected.GetFloats("log_variance"), posterior.LogVariance.ToArray(), 1e-4f);
        Close(expected.GetFloats("decoded"), model.Decode(posterior.Sample(noise)).ToArray(), 1e-4f);

        var tape = new GradientTape(backend);
        var elbo = model.Terms(tape.Variable(pixels), tape.Variable(noise));
        Close(expected.GetFloats("reconstruction"), elbo.Reconstruction.Sum().ToArray(), 1e-5f);
        Close(expected.GetFloats("kl"), elbo.Kl.Sum().ToArray(), 1e-5f);
        var gradients = tape.Backward((elbo.Reconstruction.Sum() + elbo.Kl.Sum()) / 6);
        foreach (var weight in model.Parameters.Where(parameter => parameter.Kind == ParameterKind.Weight))
            Close(expected.GetFloats($"gradient/{weight.Name}"), gradients.Of(weight)!.ToArray(), 1e-3f, weight.Name);
        Close(expected.GetFloats("losses"), Adam(model, pixels, noise, steps: 12), 1e-3f, "losses of 12 steps");
    }

    static float[] Adam(Vae model, Tensor pixels, Tensor noise, int steps)
    {
        var backend = (CpuBackend)model.Parameters.Backend;
        Parameter[] weights = [.. model.Parameters.Where(parameter => parameter.Kind == ParameterKind.Weight)];
        Tensor[] means = [.. weights.Select(Zeros)], squares = [.. weights.Select(Zeros)];
        var losses = new float[steps];
        for (var step = 1; step <= steps; step++)
        {
            var tape = new GradientTape(backend);
            var elbo = model.Terms(tape.Variable(pixels), tape.Variable(noise));
            var loss = (elbo.Reconstruction.Sum() + elbo.Kl.Sum()) / 6;
            losses[step - 1] = loss.ToScalar();
            var gradients = tape.Backward(loss);
            for (var i = 0; i < weights.Length; i++)
                backend.AdamStep(weights[i].Value, gradients.Of(weights[i])!, means[i], squares[i], new(1e-4f), step);
        }
        return losses;

        Tensor Zeros(Parameter weight) => backend.FromValues(new float[weight.Shape.Count], weight.Shape);
    }

    /// <summary>Relative to the largest value, since sums of many terms of both signs lose the small ones.</summary>
    static void Close(float[] expected, float[] actual, float tolerance, string name = "")
    {
        var scale = expected.Max(Math.Abs);
        var worst = expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max() / scale;
        Assert.True(worst <= tolerance, $"{name}: differs by {worst} of the largest value {scale}.");
    }
}
