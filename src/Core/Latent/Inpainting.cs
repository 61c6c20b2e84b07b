namespace VaeFunctions.Latent;

/// <summary>Fills holes with what a model expects there, given the rest. (Rezende, Mohamed and Wierstra 2014, appendix F; Mattei
/// and Frellsen 2018)</summary>
public static class Inpainting
{
    /// <summary>Sends an image through the model again and again; what comes back replaces the hole, and what is known is put
    /// back each time.</summary>
    /// <param name="pixels">[H, W, C]; what lies in the hole has no influence.</param>
    /// <param name="hole">[H, W], true where a pixel is to be filled.</param>
    /// <param name="project">An image to its reconstruction, both [H, W, C].</param>
    /// <returns>A new image whose known pixels are untouched.</returns>
    /// <exception cref="ArgumentException">The mask is not of the image's size, or nothing is known.</exception>
    public static async Task<byte[]> FillAsync(byte[] pixels, bool[] hole, int iterations, Func<byte[], Task<byte[]>> project)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        ArgumentNullException.ThrowIfNull(hole);
        ArgumentNullException.ThrowIfNull(project);
        var filled = FillWithMean(pixels, hole);
        if (!hole.Contains(true)) return filled;
        for (var i = 0; i < iterations; i++)
        {
            var expected = await project(filled);
            var next = Merge(filled, expected, hole);
            if (next.AsSpan().SequenceEqual(filled)) break; // a fixed point
            filled = next;
        }
        return filled;
    }

    /// <summary>The hole filled with the mean colour of what is known: where the iteration starts, and what it is to
    /// beat.</summary>
    /// <exception cref="ArgumentException">The mask is not of the image's size, or nothing is known.</exception>
    public static byte[] FillWithMean(byte[] pixels, bool[] hole)
    {
        var channels = pixels.Length / Math.Max(hole.Length, 1);
        if (hole.Length == 0 || channels * hole.Length != pixels.Length)
            throw new ArgumentException(
                $"Inpainting: {hole.Length} places of a mask do not fit an image of {pixels.Length} bytes.");
        var known = hole.Count(missing => !missing);
        if (known == 0)
            throw new ArgumentException(
                "Inpainting: the mask covers the whole image; leave something to go by, or draw a sample instead.");
        var sums = new long[channels];
        for (var i = 0; i < pixels.Length; i++)
            if (!hole[i / channels]) sums[i % channels] += pixels[i];
        byte[] mean = [.. sums.Select(sum => (byte)((sum + known / 2) / known))];
        return [.. pixels.Select((pixel, i) => hole[i / channels] ? mean[i % channels] : pixel)];
    }

    static byte[] Merge(byte[] known, byte[] expected, bool[] hole)
    {
        var channels = known.Length / hole.Length;
        return [.. known.Select((pixel, i) => hole[i / channels] ? expected[i] : pixel)];
    }
}
