using VaeFunctions.Registry;

namespace VaeFunctions.Tests.Registry;

public sealed class TimeNameTests
{
    [Theory]
    [InlineData("20260102T030405Z")]
    [InlineData("20260102T030405Z", "20260102T030404Z")]
    [InlineData("20260102T030405Z-02", "20260102T030405Z", "20250102T030405Z")]
    [InlineData("20260102T030405Z-03", "20260102T030405Z", "20260102T030405Z-02")]
    [InlineData("20260102T030406Z", "20260102T030405Z-99")]
    [InlineData("20260103T030405Z-02", "20260103T030405Z")] // the clock was set back by a day
    [InlineData("20260105T000000Z", "20260104T235959Z-99")]
    [InlineData(
        "20260102T030405Z", "v1", "99999999T999999Z", "99991231T235959Z-99", "20270102T030405Z-x1", "20270102T030405Z_02")]
    public void A_name_is_the_time_and_comes_after_all_others(string expected, params string[] others)
    {
        var name = TimeName.After(new DateTimeOffset(2026, 1, 2, 5, 4, 5, TimeSpan.FromHours(2)), others);
        Assert.Equal(expected, name);
        Assert.True(ManifestJson.IsVersion(name));
    }
}
