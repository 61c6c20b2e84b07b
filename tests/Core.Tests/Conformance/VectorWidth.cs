using VaeFunctions.Cpu.Kernels;

namespace VaeFunctions.Tests.Conformance;

/// <summary>./vae test runs this folder again with narrower vectors; this says that they really are.</summary>
public class VectorWidth
{
    [Fact]
    public void Tiles_are_no_wider_than_the_runtime_is_told_vectors_are()
    {
        var widest = IsOff("DOTNET_EnableAVX2") ? 8 : IsOff("DOTNET_EnableAVX512") ? 16 : 32;
        Assert.InRange(MicroKernel.Columns, 8, widest);

        static bool IsOff(string setting) => Environment.GetEnvironmentVariable(setting) == "0";
    }
}
