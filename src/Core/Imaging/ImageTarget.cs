namespace VaeFunctions.Imaging;

/// <summary>What images are made into: a shape, and how those of another size come to it.</summary>
public readonly record struct ImageTarget(ImageShape Shape, ImageFit Fit = ImageFit.Crop);
