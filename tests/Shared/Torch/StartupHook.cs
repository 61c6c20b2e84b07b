/// <summary>Lets libtorch load in a program that a test starts: named in DOTNET_STARTUP_HOOKS, this assembly is loaded into it,
/// and its module initializer,
/// <see cref="VaeFunctions.Tests.Libtorch"/>, runs there.</summary>
#pragma warning disable CA1050 // .NET looks for the class under this name, outside of any namespace.
static class StartupHook
{
    public const string Variable = "DOTNET_STARTUP_HOOKS";

    public static void Initialize()
    {
    }
}
