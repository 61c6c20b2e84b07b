namespace VaeFunctions.Tensors;

/// <summary>What a back end adds to be trained on: a tape for gradients, writing in place, the optimizers' steps.</summary>
public interface ITrainingBackend : IBackend
{
    /// <summary>Where it computes, for people to read: in logs and manifests.</summary>
    string Device => GetType().Name;

    /// <summary>Begins a training step.</summary>
    IGradientTape Record();

    /// <summary>Keeps rows of bytes on the device, so that a step sends only the places of those it takes. Null where a back end
    /// reads the host's memory anyway, or where they would take too much of the device's.</summary>
    /// <param name="count">How many rows.</param>
    /// <param name="length">Bytes of a row.</param>
    /// <param name="row">The row at a place, from 0 and below <paramref name="count"/>.</param>
    KeptRows? Keep(int count, int length, Func<int, ReadOnlySpan<byte>> row) => null;

    /// <summary>Overwrites the values of a parameter or statistic with those of a tensor of the same shape.</summary>
    void Assign(Tensor target, Tensor value);

    /// <summary>Σ x², over everything in all of them.</summary>
    double SumOfSquares(params ReadOnlySpan<Tensor> tensors)
    {
        double sum = 0;
        foreach (var x in tensors) sum += (x * x).Sum().ToScalar();
        return sum;
    }

    /// <summary>One step of Adam (Kingma and Ba 2015, algorithm 1), in place.</summary>
    /// <param name="step">Counted from 1, for the bias correction.</param>
    void AdamStep(Tensor parameter, Tensor gradient, Tensor mean, Tensor square, AdamOptions options, int step)
    {
        Assign(mean, Add(Multiply(mean, Scalar(options.Beta1)), Multiply(gradient, Scalar(1 - options.Beta1))));
        Assign(square, Add(
            Multiply(square, Scalar(options.Beta2)), Multiply(Multiply(gradient, gradient), Scalar(1 - options.Beta2))));
        var denominator =
            Add(Divide(Sqrt(square), Scalar((float)Math.Sqrt(1 - Math.Pow(options.Beta2, step)))), Scalar(options.Epsilon));
        var rate = (float)(options.LearningRate / (1 - Math.Pow(options.Beta1, step)));
        Assign(parameter, Subtract(parameter, Multiply(Divide(mean, denominator), Scalar(rate))));
    }

    /// <summary>One step of RMSprop (Hinton 2012, lecture 6e; ε outside the root, as in PyTorch), in place.</summary>
    void RmsPropStep(Tensor parameter, Tensor gradient, Tensor square, RmsPropOptions options)
    {
        Assign(square, Add(
            Multiply(square, Scalar(options.Decay)), Multiply(Multiply(gradient, gradient), Scalar(1 - options.Decay))));
        var step = Divide(gradient, Add(Sqrt(square), Scalar(options.Epsilon)));
        Assign(parameter, Subtract(parameter, Multiply(step, Scalar(options.LearningRate))));
    }
}

/// <summary>The hyperparameters of Adam, with the paper's defaults.</summary>
public readonly record struct AdamOptions(
    float LearningRate = 1e-3f, float Beta1 = 0.9f, float Beta2 = 0.999f, float Epsilon = 1e-8f);

/// <summary>The hyperparameters of RMSprop, with Keras's decay.</summary>
public readonly record struct RmsPropOptions(float LearningRate = 1e-3f, float Decay = 0.9f, float Epsilon = 1e-7f);
