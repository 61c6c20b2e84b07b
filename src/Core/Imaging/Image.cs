namespace VaeFunctions.Imaging;

/// <summary>Pixels in memory, a byte a channel, row by row, the channels of a pixel side by side (HWC).</summary>
public sealed class Image
{
    /// <param name="pixels">Taken over, not copied; Height · Width · Channels bytes.</param>
    /// <exception cref="ArgumentException">
    /// An extent is not positive, channels are neither 1 nor 3, or the bytes do not fill the shape.
    /// </exception>
    public Image(ImageShape shape, byte[] pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        if (shape.Width < 1 || shape.Height < 1 || shape.Channels is not (1 or 3))
            throw new ArgumentException(
                $"Image: the shape is {shape}; width and height must be positive and channels 1 (grey) or 3 (RGB).");
        if (pixels.LongLength != (long)shape.Width * shape.Height * shape.Channels)
            throw new ArgumentException($"Image: {pixels.LongLength} bytes do not fill a shape of {shape}.");
        (Shape, Pixels) = (shape, pixels);
    }

    public Image(int width, int height, int channels, byte[] pixels) : this(new ImageShape(height, width, channels), pixels)
    {
    }

    public ImageShape Shape { get; }

    public int Width => Shape.Width;

    public int Height => Shape.Height;

    /// <summary>1 (grey) or 3 (RGB).</summary>
    public int Channels => Shape.Channels;

    public byte[] Pixels { get; }

    /// <summary>This image in grey (BT.601 luma: 0.299 R + 0.587 G + 0.114 B) or RGB; itself where it is that already.</summary>
    /// <exception cref="ArgumentException"><paramref name="channels"/> is neither 1 nor 3.</exception>
    public Image ToChannels(int channels)
    {
        if (channels == Channels) return this;
        var converted = new byte[Width * Height * channels];
        if (channels == 1)
            for (var i = 0; i < converted.Length; i++)
                converted[i] = Luma(Pixels[3 * i], Pixels[3 * i + 1], Pixels[3 * i + 2]);
        else if (channels == 3)
            for (var i = 0; i < Pixels.Length; i++)
                converted.AsSpan(3 * i, 3).Fill(Pixels[i]);
        return new Image(Shape with { Channels = channels }, converted);

        // The weights in 16-bit fixed point, which sum to 1; half a unit rounds to nearest.
        static byte Luma(int red, int green, int blue) => (byte)((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16);
    }

    /// <summary>
    /// This image at another size, by a Lanczos filter that widens as the image shrinks, so that nothing aliases.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A length is not positive.</exception>
    public Image Resize(int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        return width == Width && height == Height ? this : Lanczos.Resize(this, width, height);
    }

    /// <summary>The largest centred part with this ratio of width to height.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A length is not positive.</exception>
    public Image CentreCropToAspect(int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        var cropWidth = (int)Math.Clamp(Math.Round((double)Height * width / height), 1, Width);
        var cropHeight = (int)Math.Clamp(Math.Round((double)Width * height / width), 1, Height);
        return Crop((Width - cropWidth) / 2, (Height - cropHeight) / 2, cropWidth, cropHeight);
    }

    /// <summary>This image brought into a shape: cropped, padded or stretched, resized, and converted to its channels.</summary>
    /// <exception cref="ImageFormatException"><see cref="ImageFit.Strict"/>, and it has another size.</exception>
    public Image FitTo(ImageShape shape, ImageFit fit = ImageFit.Crop)
    {
        var fitted = fit switch
        {
            _ when (Width, Height) == (shape.Width, shape.Height) => this,
            ImageFit.Crop => CentreCropToAspect(shape.Width, shape.Height).Resize(shape.Width, shape.Height),
            ImageFit.Pad => PadTo(shape.Width, shape.Height),
            ImageFit.Stretch => Resize(shape.Width, shape.Height),
            _ => throw new ImageFormatException(
                $"The image is {Width}×{Height}, not {shape.Width}×{shape.Height}, and is not to be fitted; give it that size."),
        };
        return fitted.ToChannels(shape.Channels);
    }

    Image PadTo(int width, int height)
    {
        var scale = Math.Min((double)width / Width, (double)height / Height);
        var small = Resize(Scaled(Width, width), Scaled(Height, height));
        var padded = new byte[width * height * Channels];
        var (left, top, row) = ((width - small.Width) / 2, (height - small.Height) / 2, small.Width * Channels);
        for (var y = 0; y < small.Height; y++)
            small.Pixels.AsSpan(y * row, row).CopyTo(padded.AsSpan(((top + y) * width + left) * Channels));
        return new Image(width, height, Channels, padded);

        int Scaled(int length, int most) => Math.Clamp((int)Math.Round(length * scale), 1, most);
    }

    Image Crop(int left, int top, int width, int height)
    {
        if (width == Width && height == Height) return this;
        var row = width * Channels;
        var cropped = new byte[row * height];
        for (var y = 0; y < height; y++)
            Pixels.AsSpan(((top + y) * Width + left) * Channels, row).CopyTo(cropped.AsSpan(y * row));
        return new Image(width, height, Channels, cropped);
    }
}
