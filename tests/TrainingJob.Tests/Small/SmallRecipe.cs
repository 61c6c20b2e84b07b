namespace VaeFunctions.Tests;

/// <summary>faces-vae with narrow layers, which trains three times as fast: for tests of what programs do with a model.</summary>
static class SmallRecipe
{
    public static readonly string Faces = Path.Combine(AppContext.BaseDirectory, "Small", "faces-vae.json");
}
