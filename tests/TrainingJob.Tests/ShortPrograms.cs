using System.Runtime.CompilerServices;

namespace VaeFunctions.Tests;

static class ShortPrograms
{
    /// <summary>The trainings that tests start take seconds, a quarter of which goes into compiling twice.</summary>
    [ModuleInitializer]
    internal static void DisableTieredCompilation() => Environment.SetEnvironmentVariable("DOTNET_TieredCompilation", "0");
}
