using System.Runtime.CompilerServices;

namespace VaeFunctions.Tests;

static class ShortPrograms
{
    /// <summary>The trainings that tests start take seconds: compiled once, as the tests are, they take a quarter less.</summary>
    [ModuleInitializer]
    internal static void CompileOnce() => Environment.SetEnvironmentVariable("DOTNET_TieredCompilation", "0");
}
