using VaeFunctions.LocalFunctions;

namespace VaeFunctions.Tests.Host;

public sealed class BlobPatternTests
{
    [Theory]
    [InlineData("inbox/{model}/{name}", "faces/a.png", "model=faces name=a.png")]
    [InlineData("inbox/{model}/{name}", "faces/2026/a.png", "model=faces name=2026/a.png")]
    [InlineData("inbox/{model}/{name}", "a.png", null)]
    [InlineData("inbox/{name}", "faces/a.png", "name=faces/a.png")]
    [InlineData("inbox", "a.png", "name=a.png")]
    [InlineData("inbox/raw-{name}.png", "raw-a.png", "name=a")]
    [InlineData("inbox/raw-{name}.png", "raw-axpng", null)]
    [InlineData("inbox/{name}", "line\nbreak", "name=line\nbreak")]
    public void Names_are_matched_and_bound(string pattern, string name, string? bound)
    {
        var match = new BlobPattern("F", pattern).Match(name);
        Assert.Equal(bound, match is null ? null : string.Join(' ', match.Select(pair => $"{pair.Key}={pair.Value}")));
    }

    [Fact]
    public void Only_names_with_the_literal_beginning_are_listed() => Assert.Equal("raw/", new BlobPattern("F", "inbox/raw/{name}").Prefix);

    [Theory]
    [InlineData("{container}/{name}")]
    [InlineData("UPPER/{name}")]
    [InlineData("a/{name}")]
    public void A_pattern_needs_a_container(string pattern) => Assert.Throws<HostSetupException>(() => new BlobPattern("F", pattern));
}
