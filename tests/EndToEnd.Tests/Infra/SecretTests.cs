using System.Text.RegularExpressions;
using VaeFunctions.LocalCloud;

namespace VaeFunctions.Tests.Infra;

public partial class SecretTests
{
    /// <summary>The storage emulator's key, which is the same everywhere and opens nothing.</summary>
    const string Emulator = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    static readonly string[] NotOurs = [".git", "artifacts", "node_modules", "demo", "runs", ".azurite", "bin", "obj"];

    [Fact]
    public void No_file_of_the_repository_holds_a_secret()
    {
        var read = 0;
        var found = new List<string>();
        foreach (var file in Files(new(Installation.Root)).Where(file => file.Length < 1 << 20))
        {
            read++;
            var text = File.ReadAllText(file.FullName).Replace(Emulator, "", StringComparison.Ordinal);
            found.AddRange(Secret().Matches(text)
                .Select(match => $"{Path.GetRelativePath(Installation.Root, file.FullName)}: {match.Value[..12]}…"));
        }
        Assert.True(read > 200, $"Only {read} files were read.");
        Assert.Empty(found);
    }

    [Theory]
    [InlineData("AccountKey=", "0123456789abcdefghijABCDEFGHIJ0123456789abcd==")]
    [InlineData("SharedAccessSignature=sv=2024-01-01&sig=", "0123456789abcdefghij%3D")]
    [InlineData("-----BEGIN RSA ", "PRIVATE KEY-----")]
    [InlineData("code=", "0123456789abcdefghijABCDEFGHIJ0123456789abcd_-AzFu==")]
    [InlineData("ghp_", "0123456789abcdefghijABCDEFGHIJ012345")]
    public void A_secret_would_be_found(string first, string second) => Assert.Matches(Secret(), first + second);

    static IEnumerable<FileInfo> Files(DirectoryInfo folder) => folder.EnumerateFiles()
        .Concat(folder.EnumerateDirectories()
            .Where(inner => !NotOurs.Contains(inner.Name) && inner.LinkTarget is null).SelectMany(Files));

    [GeneratedRegex(@"AccountKey=[A-Za-z0-9+/]{40,}|[?&;]?sig=[A-Za-z0-9%+/]{20,}|BEGIN [A-Z ]*PRIVATE KEY|"
        + @"[?&]?code=[A-Za-z0-9_-]{40,}|(ghp|gho|github_pat)_[A-Za-z0-9_]{30,}|AKIA[0-9A-Z]{16}")]
    private static partial Regex Secret();
}
