using VaeFunctions.Cpu.Kernels;

namespace VaeFunctions.Tests.Conformance;

/// <summary>Threads that share pieces of work.</summary>
public class TeamTests
{
    static readonly Team team = Team.Of(3);

    [Fact]
    public void Every_piece_is_done_once_however_often_the_team_slept_in_between()
    {
        for (var round = 0; round < 300; round++)
        {
            var times = new int[1 + round];
            team.For(times.Length, piece => Interlocked.Increment(ref times[piece]));
            Assert.All(times, count => Assert.Equal(1, count));
            if (round % 50 == 0) Thread.Sleep(20);
        }
    }

    [Fact]
    public void Work_within_work_is_done_by_the_thread_that_meets_it()
    {
        var sums = new int[8];
        team.For(8, piece => team.For(5, inner => sums[piece] += inner));
        Assert.All(sums, sum => Assert.Equal(10, sum));
    }

    [Fact]
    public void Several_callers_at_once_get_all_their_pieces_done()
    {
        var counts = new int[4];
        Parallel.For(0, counts.Length, caller =>
        {
            for (var round = 0; round < 200; round++) team.For(16, _ => Interlocked.Increment(ref counts[caller]));
        });
        Assert.All(counts, count => Assert.Equal(200 * 16, count));
    }

    [Fact]
    public void A_piece_that_fails_is_told_to_the_caller_and_the_team_works_on()
    {
        for (var round = 0; round < 20; round++)
        {
            var error = Assert.Throws<InvalidOperationException>(() => team.For(12, piece =>
            {
                if (piece == 7) throw new InvalidOperationException("seven");
            }));
            Assert.Equal("seven", error.Message);
        }
        var done = 0;
        team.For(12, _ => Interlocked.Increment(ref done));
        Assert.Equal(12, done);
    }
}
