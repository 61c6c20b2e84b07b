using VaeFunctions.Tensors;

namespace VaeFunctions.Models;

/// <summary>A model whose prior draws a code for each place, given those of the places before it.</summary>
public interface IAutoregressive
{
    /// <summary>K, the number of codes.</summary>
    int Codes { get; }

    /// <summary>P, the places that each take a code.</summary>
    int Places { get; }

    /// <summary>The codes that a latent vector stands for: [N, L] → [N, P].</summary>
    Tensor CodesOf(Tensor latent);

    /// <summary>Unnormalised log probabilities of each place's code, which depend on the codes before it only: [N, P] → [N, P,
    /// K].</summary>
    Tensor Logits(Tensor codes);

    /// <summary>The latent vector of codes: [N, P] → [N, L].</summary>
    Tensor Latent(Tensor codes);
}

/// <summary>Draws codes place by place.</summary>
public static class Autoregression
{
    /// <summary>log p of codes, Σ over places, in nats: [N, P] → [N].</summary>
    public static Tensor LogProbability(IAutoregressive model, Tensor codes)
    {
        ArgumentNullException.ThrowIfNull(model);
        var logits = model.Logits(codes);
        return ((logits * codes.OneHot(model.Codes)).Sum(2) - logits.LogSumExp().Sum(2)).Sum(1);
    }

    /// <summary>Codes of <paramref name="count"/> images, [count, places]. Each image has a stream of its own, so that a larger
    /// count begins with the images of a smaller one.</summary>
    /// <param name="logits">Codes so far, [count, places], to logits, [count, places, K].</param>
    /// <param name="temperature">Divides the logits: 0 takes the likeliest code, 1 is the prior.</param>
    /// <param name="first">The number of the first image.</param>
    public static float[] Sample(int count, int places, Func<float[], float[]> logits, ulong seed, float temperature = 1,
        long first = 0)
    {
        RandomStream[] random =
            [.. Enumerable.Range(0, count).Select(image => new RandomStream(seed, "sample", (ulong)(first + image)))];
        var codes = new float[count * places];
        for (var place = 0; place < places; place++)
        {
            var all = logits(codes);
            var choices = all.Length / codes.Length;
            for (var image = 0; image < count; image++)
                codes[image * places + place] =
                    Draw(all.AsSpan((image * places + place) * choices, choices), temperature, random[image].NextDouble());
        }
        return codes;
    }

    /// <summary>The code at which the cumulated probability passes a uniform number.</summary>
    static int Draw(ReadOnlySpan<float> logits, float temperature, double uniform)
    {
        var likeliest = 0;
        for (var i = 1; i < logits.Length; i++)
            if (logits[i] > logits[likeliest]) likeliest = i;
        if (temperature <= 0) return likeliest;
        var weights = new double[logits.Length];
        double sum = 0;
        for (var i = 0; i < weights.Length; i++) sum += weights[i] = Math.Exp((logits[i] - logits[likeliest]) / temperature);
        for (var i = 0; i < weights.Length; i++)
            if ((uniform -= weights[i] / sum) < 0) return i;
        return likeliest;
    }
}
