using VaeFunctions.Cpu;
using VaeFunctions.Features;
using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Features;

public class DiscriminatorTests
{
    static readonly CpuBackend Backend = new();
    static readonly ResNet18 Network = ResNet18.On(Backend);

    /// <summary>Waves and their noisy copies, two each.</summary>
    static (Tensor Images, Tensor Made) Pictures(IBackend backend)
    {
        var waves = ResNet18Tests.Shades(2, 3, 32, 32);
        var noise = new RandomStream(1, "noise").Gaussians(waves.Length);
        Shape shape = new(2, 3, 32, 32);
        return (backend.FromValues(waves, shape),
            backend.FromValues([.. waves.Zip(noise, (wave, part) => wave + 30 * part)], shape));
    }

    [Fact]
    public void It_learns_to_tell_images_from_noisy_ones()
    {
        var discriminator = new Discriminator(Backend, 1);
        double first = 0, last = 0;
        for (var step = 0; step < 60; step++)
        {
            using var scope = Backend.BeginScope();
            var tape = Backend.Record();
            var (images, made) = Pictures(tape);
            var loss = discriminator.Loss(Network.Features(images), Network.Features(made));
            last = loss.ToScalar();
            if (step == 0) first = last;
            var gradients = tape.Backward(loss);
            foreach (var weight in discriminator.Parameters.Where(parameter => parameter.Kind == ParameterKind.Weight))
                Backend.Assign(weight.Value, weight.Value - gradients.Of(weight)! * 0.1f);
            tape.ApplyUpdates();
        }
        // Three heads that know nothing pay 2 each.
        Assert.InRange(first, 4.5, 7.5);
        Assert.InRange(last, 0, 0.6 * first);

        var (real, noisy) = Pictures(Backend);
        Assert.True(discriminator.Deceit(Network.Features(real)).Sum().ToScalar()
            < discriminator.Deceit(Network.Features(noisy)).Sum().ToScalar());
    }

    [Fact]
    public void What_it_learns_from_moves_no_image_and_what_deceives_it_moves_no_head()
    {
        var discriminator = new Discriminator(Backend, 1);
        var tape = Backend.Record();
        var (images, made) = Pictures(Backend);
        var (x, y) = (tape.Variable(images), tape.Variable(made));

        var learning = tape.Backward(discriminator.Loss(Network.Features(x), Network.Features(y)));
        Assert.All([x, y], picture => Assert.Null(learning[picture]));
        // Of a head's last bias nothing need be left: one half of the hinge pulls it up as much as the other pulls it down.
        Assert.All(Weights(), weight => Assert.NotNull(learning.Of(weight)));
        Assert.All(Weights().Where(weight => weight.Name.EndsWith("weight", StringComparison.Ordinal)),
            weight => Assert.Contains(learning.Of(weight)!.ToArray(), slope => slope != 0));

        var deceiving = tape.Backward(discriminator.Deceit(Network.Features(y)).Sum());
        Assert.Contains(deceiving[y]!.ToArray(), slope => slope != 0);
        Assert.All(Weights(), weight => Assert.Null(deceiving.Of(weight)));

        IEnumerable<Parameter> Weights() =>
            discriminator.Parameters.Where(parameter => parameter.Kind == ParameterKind.Weight);
    }

    /// <summary>W = diag(3, 1) as a convolution of one tap: its largest singular value is 3.</summary>
    [Fact]
    public void A_spectral_convolution_divides_by_the_largest_singular_value()
    {
        var parameters = new ParameterSet(Backend, 1);
        var layer = Build.SpectralConv(2, 2, new(1))(parameters.Root);
        float[] weights = [3, 0, 0, 1];
        Backend.Assign(parameters.Single(parameter => parameter.Name == "weight").Value,
            Backend.FromValues(weights, new(2, 2, 1, 1)));
        Backend.Assign(parameters.Single(parameter => parameter.Name == "bias").Value, Backend.FromValues([0, 0], new(2)));
        for (var step = 0; step < 20; step++)
        {
            var tape = Backend.Record();
            layer.Forward(tape.FromValues([1, 1], new(1, 2, 1, 1)));
            tape.ApplyUpdates();
        }
        var output = layer.Forward(Backend.FromValues([1, 1], new(1, 2, 1, 1))).ToArray();
        Assert.Equal(1, output[0], 1e-5f);
        Assert.Equal(1 / 3f, output[1], 1e-5f);
    }

    /// <summary>σ is differentiated with its singular vectors for constants, which is exact where they are exact.</summary>
    [Fact]
    public void The_gradient_of_a_spectral_convolution_is_that_of_finite_differences()
    {
        const float Step = 1e-2f;
        var parameters = new ParameterSet(Backend, 1);
        var layer = Build.SpectralConv(3, 2, new(1))(parameters.Root);
        var weight = parameters.Single(parameter => parameter.Name == "weight");
        Shape shape = new(2, 3, 1, 1);
        float[] values = [1, -0.4f, 0.3f, 0.2f, 0.6f, -0.5f];
        Backend.Assign(weight.Value, Backend.FromValues(values, shape));
        for (var step = 0; step < 50; step++)
        {
            var settling = Backend.Record();
            Output(settling);
            settling.ApplyUpdates();
        }

        var tape = Backend.Record();
        var gradient = tape.Backward(Output(tape)).Of(weight)!.ToArray();
        for (var i = 0; i < values.Length; i++)
            Assert.Equal((At(i, Step) - At(i, -Step)) / (2 * Step), gradient[i], 2e-3f);

        Tensor Output(IBackend backend) => (layer.Forward(backend.FromValues([1, -2, 0.5f], new(1, 3, 1, 1)))
            * backend.FromValues([1, -0.7f], new(1, 2, 1, 1))).Sum();

        float At(int place, float step)
        {
            float[] moved = [.. values];
            moved[place] += step;
            Backend.Assign(weight.Value, Backend.FromValues(moved, shape));
            return Output(Backend).ToScalar();
        }
    }
}
