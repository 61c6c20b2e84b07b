namespace VaeFunctions.Tests.Conformance;

/// <summary>What the tests do to TorchSharp's native library on systems that are too old for it.</summary>
public sealed class LibtorchTests
{
    [SkippableFact]
    public void The_copy_for_old_systems_differs_from_the_library_in_one_symbol()
    {
        Skip.IfNot(Libtorch.IsExpected, "libtorch is referenced for 64-bit Intel and AMD processors under Linux");
        var original = File.ReadAllBytes(LibraryForOldSystems.PathOf("LibTorchSharp"));
        byte[] edited = [.. original];
        LibraryForOldSystems.Edit(edited);
        // a name, the number of a version, a flag
        Assert.InRange(original.Zip(edited).Count(pair => pair.First != pair.Second), 10, 32);
        Assert.Contains("takes no _ZSt21", Assert.Throws<InvalidDataException>(() => LibraryForOldSystems.Edit(edited)).Message);
    }
}
