using System.Globalization;
using VaeFunctions.LocalFunctions;

namespace VaeFunctions.Tests.Host;

public sealed class NcrontabTests
{
    [Theory]
    [InlineData("* * * * * *", "2026-03-31T23:59:59", "2026-04-01T00:00:00")]
    [InlineData("*/15 * * * * *", "2026-01-01T00:00:16", "2026-01-01T00:00:30")]
    [InlineData("0 */5 * * * *", "2026-01-01T00:00:00", "2026-01-01T00:05:00")]
    [InlineData("0 30 3 * * *", "2026-01-01T03:30:00", "2026-01-02T03:30:00")]
    [InlineData("0 0 9-17/4 * * MON-FRI", "2026-01-02T17:00:00", "2026-01-05T09:00:00")] // a Friday; 9, 13, 17
    [InlineData("0 0 0 29 2 *", "2026-01-01T00:00:00", "2028-02-29T00:00:00")]
    [InlineData("5,10 0 0 1 JAN,jul *", "2026-01-01T00:00:05", "2026-01-01T00:00:10")]
    [InlineData("0 0 0 13 * 5", "2026-01-01T00:00:00", "2026-02-13T00:00:00")] // the next Friday the 13th
    [InlineData("30/20 * * * * *", "2026-01-01T00:00:00", "2026-01-01T00:00:30")]
    public void The_next_time_is_the_first_at_which_all_fields_hold(string schedule, string after, string next) =>
        Assert.Equal(Time(next), new Ncrontab(schedule).Next(Time(after)));

    [Fact]
    public void A_day_that_never_comes_has_no_next_time() => Assert.Null(new Ncrontab("0 0 0 30 2 *").Next(Time("2026-01-01T00:00:00")));

    [Theory]
    [InlineData("* * * * *", "has 5 fields")]
    [InlineData("60 * * * * *", "\"60\" is no second")]
    [InlineData("0 0 0 * * 7", "\"7\" is no day of the week")]
    [InlineData("0 0 0 0 * *", "no day")]
    [InlineData("0 */0 * * * *", "\"*/0\" is no minute")]
    [InlineData("0 5-1 * * * *", "\"5-1\"")]
    [InlineData("0 0 0 * FOO *", "\"FOO\" is no month")]
    [InlineData("0 -1 * * * *", "\"-1\"")]
    public void A_wrong_schedule_is_explained(string schedule, string hint) =>
        Assert.Contains(hint, Assert.Throws<FormatException>(() => new Ncrontab(schedule)).Message, StringComparison.Ordinal);

    static DateTime Time(string text) => DateTime.Parse(text, CultureInfo.InvariantCulture);
}
