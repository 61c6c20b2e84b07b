namespace VaeFunctions.Imaging.Codecs;

/// <summary>An encoded image whose header is read and whose pixels are not.</summary>
internal interface IDecoder : IDisposable
{
    ImageFormat Format { get; }

    /// <summary>As it is stored.</summary>
    int Width { get; }

    int Height { get; }

    /// <summary>As it is seen.</summary>
    (int Width, int Height) UprightSize { get; }

    /// <param name="shrink">By how much the sides may be divided while reading, where the format can.</param>
    /// <exception cref="ImageFormatException">The pixels are broken or cut short.</exception>
    Image Decode(int shrink = 1);
}
