namespace VaeFunctions.Cpu;

/// <summary>Runs numbered pieces of work on a bounded number of threads. What a piece computes must not depend on who computes it.</summary>
sealed class Team(int threads)
{
    readonly ParallelOptions options = new() { MaxDegreeOfParallelism = threads };

    public int Threads => options.MaxDegreeOfParallelism;

    public void For(int pieces, Action<int> work)
    {
        if (pieces > 1 && Threads > 1)
        {
            Parallel.For(0, pieces, options, work);
            return;
        }
        for (var piece = 0; piece < pieces; piece++) work(piece);
    }

    /// <summary>Splits [0, count) into pieces of <paramref name="grain"/> and runs <paramref name="work"/>(start, length) on each.</summary>
    public void ForRange(int count, int grain, Action<int, int> work) =>
        For((count + grain - 1) / grain, piece => work(piece * grain, Math.Min(grain, count - piece * grain)));
}
