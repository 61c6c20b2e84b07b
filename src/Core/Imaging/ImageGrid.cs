namespace VaeFunctions.Imaging;

/// <summary>Many small images on one sheet.</summary>
public static class ImageGrid
{
    const byte Paper = 255;

    /// <summary>Images of one size, row by row on white, in RGB if any of them is.</summary>
    /// <param name="columns">Images in a row, at least 1; fewer where there are fewer images.</param>
    /// <param name="padding">Pixels between the images and around them, not enlarged.</param>
    /// <param name="scale">Each pixel becomes a square of this many, so that small images can be seen.</param>
    /// <exception cref="ArgumentException">There is no image, or they are not of one size.</exception>
    public static Image Compose(IReadOnlyList<Image> images, int columns, int padding = 2, int scale = 1)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(scale, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(padding);
        if (images.Count == 0) throw new ArgumentException("ImageGrid: there is no image to lay out.", nameof(images));
        var (height, width) = (images[0].Height, images[0].Width);
        if (images.FirstOrDefault(image => image.Width != width || image.Height != height) is { } odd)
            throw new ArgumentException(
                $"ImageGrid: the images are {width}×{height} and {odd.Width}×{odd.Height}; "
                + "they must be of one size.", nameof(images));

        columns = Math.Min(columns, images.Count);
        var rows = (images.Count + columns - 1) / columns;
        var channels = images.Max(image => image.Channels);
        var (cellWidth, cellHeight) = (width * scale + padding, height * scale + padding);
        var (sheetWidth, sheetHeight) = (checked(columns * cellWidth + padding), checked(rows * cellHeight + padding));
        var sheet = new byte[checked(sheetWidth * sheetHeight * channels)];
        Array.Fill(sheet, Paper);
        for (var i = 0; i < images.Count; i++)
            Place(images[i].ToChannels(channels), padding + i % columns * cellWidth, padding + i / columns * cellHeight);
        return new Image(sheetWidth, sheetHeight, channels, sheet);

        void Place(Image image, int left, int top)
        {
            var row = new byte[width * scale * channels];
            for (var y = 0; y < height; y++)
            {
                var line = image.Pixels.AsSpan(y * width * channels, width * channels);
                if (scale == 1) line.CopyTo(row);
                else for (var x = 0; x < width * scale; x++) line.Slice(x / scale * channels, channels)
                    .CopyTo(row.AsSpan(x * channels));
                for (var copy = 0; copy < scale; copy++)
                    row.CopyTo(sheet.AsSpan(((top + y * scale + copy) * sheetWidth + left) * channels));
            }
        }
    }
}
