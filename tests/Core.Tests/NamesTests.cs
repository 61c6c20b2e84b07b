namespace VaeFunctions.Tests;

public sealed class NamesTests
{
    const string Composed = "caf\u00E9", Decomposed = "cafe\u0301";

    [Theory]
    [InlineData(Composed, Decomposed)]
    [InlineData("\u1EC7", "e\u0302\u0323")] // both marks, in the order in which they are typed
    [InlineData("\u1EC7", "e\u0323\u0302")]
    [InlineData("\uD55C\uAD6D", "\u1112\u1161\u11AB\u1100\u116E\u11A8")] // Korean syllables and their letters
    [InlineData("\u304C", "\u304B\u3099")]
    [InlineData("cat", " cat ")]
    [InlineData("cat", "cat\u00A0")]
    [InlineData("cat", "c\u200Bat")]
    public void Names_that_look_the_same_have_one_key(string one, string other) =>
        Assert.Equal(Names.Key(one), Names.Key(other));

    [Theory]
    [InlineData("1", "01")]
    [InlineData("caf\u00E9", "cafe")]
    [InlineData("Cat", "cat")]
    [InlineData("a b", "ab")]
    [InlineData("\u00E0", "\u00E1")]
    public void Names_that_look_different_have_different_keys(string one, string other) =>
        Assert.NotEqual(Names.Key(one), Names.Key(other));

    [Fact]
    public void The_very_name_is_found_before_one_that_looks_like_it()
    {
        Assert.Equal(1, Names.Find(["Cat", "cat"], "cat"));
        Assert.Equal(0, Names.Find(["Cat", "dog"], "CAT"));
        Assert.Equal(-1, Names.Find(["Cat", "cat"], "CAT"));
        Assert.Equal(0, Names.Find([Decomposed], Composed));
        Assert.Equal(-1, Names.Find(["1", "2", "10"], "01"));
        Assert.Equal(["Cat", "cat"], Names.Alike(["Cat", "cat", "dog"], "CAT"));
    }

    [Theory]
    [InlineData("Cat", "cat", "in the case of letters")]
    [InlineData("cat ", "cat", "in the spaces around them")]
    [InlineData(Composed, Decomposed, "in their characters: U+00E9 in the one, U+0065 U+0301 in the other")]
    [InlineData("c\u200Bat", "cat", "in their characters: U+200B in the one, nothing in the other")]
    public void How_names_differ_that_look_alike_is_said(string one, string other, string difference) =>
        Assert.Equal(difference, Names.Difference(one, other));
}
