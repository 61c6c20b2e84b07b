using VaeFunctions.Imaging;

namespace VaeFunctions.Training;

/// <summary>How training images are changed, anew whenever they are taken, so that few of them do for many. Test images stay as
/// they are.</summary>
public sealed record Augmentation
{
    /// <summary>Whether half of them are turned left to right.</summary>
    public bool Flip { get; init; }

    /// <summary>The most pixels by which they move along either axis, 0 or more; what comes in repeats the border.</summary>
    public int Shift { get; init; }

    /// <summary>How much darker or brighter they become at most, as a part of their brightness, from 0 to 1.</summary>
    public float Brightness { get; init; }

    /// <exception cref="RecipeException">A number is out of range.</exception>
    internal void Check(string name, ImageShape image)
    {
        var most = Math.Min(image.Height, image.Width) / 2;
        if (Shift < 0 || Shift > most)
            throw new RecipeException($"Recipe {name}: augmentation.shift is {Shift}; it must be from 0 to {most}, half the "
                + "image.");
        if (Brightness is not (>= 0 and <= 1))
            throw new RecipeException($"Recipe {name}: augmentation.brightness is {Brightness}; it must be from 0 to 1.");
    }

    /// <summary>One image, changed by chance.</summary>
    /// <param name="source">Row by row, channels side by side.</param>
    /// <param name="target">As long; 0 to 255, not rounded.</param>
    internal void Apply(ReadOnlySpan<byte> source, Span<float> target, ImageShape shape, RandomStream random)
    {
        var turned = Flip && random.NextDouble() < 0.5;
        int down = random.NextInt(2 * Shift + 1) - Shift, right = random.NextInt(2 * Shift + 1) - Shift;
        var brightness = 1 + Brightness * (float)(2 * random.NextDouble() - 1);
        for (var y = 0; y < shape.Height; y++)
        {
            var row = Math.Clamp(y - down, 0, shape.Height - 1) * shape.Width;
            for (var x = 0; x < shape.Width; x++)
            {
                var column = Math.Clamp((turned ? shape.Width - 1 - x : x) - right, 0, shape.Width - 1);
                for (var c = 0; c < shape.Channels; c++)
                {
                    target[(y * shape.Width + x) * shape.Channels + c] =
                        Math.Min(255, source[(row + column) * shape.Channels + c] * brightness);
                }
            }
        }
    }
}

/// <summary>What changes the images of a batch, and by which chance.</summary>
public sealed record Augmenting(Augmentation How, RandomStream Random);
