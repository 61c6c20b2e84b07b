using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace VaeFunctions.Cpu.Kernels;

/// <summary>Runs numbered pieces of work on a bounded number of threads. What a piece computes must not depend on who computes
/// it.</summary>
/// <remarks>A training step is hundreds of pieces of work of some tens of microseconds: less than it takes to wake a thread. So
/// the threads look out for the next one for a moment before they sleep. Back ends with equally many threads share
/// them.</remarks>
sealed class Team
{
    /// <summary>How often a thread looks for work before it sleeps: about half a millisecond.</summary>
    const int Patience = 2000;

    static readonly ConcurrentDictionary<int, Lazy<Team>> teams = [];

    readonly Lock gate = new();
    readonly object bed = new();
    Work? current;
    int sleeping;

    Team(int threads)
    {
        Threads = threads;
        for (var i = 1; i < threads; i++)
            new Thread(Help) { IsBackground = true, Name = $"kernels {i} of {threads - 1}" }.Start();
    }

    public int Threads { get; }

    public static Team Of(int threads) => teams.GetOrAdd(threads, static count => new(() => new Team(count))).Value;

    /// <exception cref="Exception">A piece's own; where several failed, one of them.</exception>
    public void For(int pieces, Action<int> work)
    {
        // Work within work, and a second caller, do all by themselves.
        if (pieces <= 1 || Threads == 1 || !gate.TryEnter())
        {
            for (var piece = 0; piece < pieces; piece++) work(piece);
            return;
        }
        try
        {
            if (current is not null)
            {
                for (var piece = 0; piece < pieces; piece++) work(piece);
                return;
            }
            var all = new Work(work, pieces);
            Interlocked.Exchange(ref current, all); // whoever falls asleep from here on sees it
            if (Volatile.Read(ref sleeping) > 0)
            {
                lock (bed) Monitor.PulseAll(bed);
            }
            all.Take();
            all.Wait();
            Volatile.Write(ref current, null);
            all.Error?.Throw();
        }
        finally
        {
            gate.Exit();
        }
    }

    /// <summary>Splits [0, count) into pieces of <paramref name="grain"/> and runs <paramref name="work"/>(start, length) on
    /// each.</summary>
    public void ForRange(int count, int grain, Action<int, int> work) =>
        For((count + grain - 1) / grain, piece => work(piece * grain, Math.Min(grain, count - piece * grain)));

    void Help()
    {
        Work? last = null;
        while (true)
        {
            for (var looks = 0; looks < Patience && Next(last) is null; looks++) Thread.SpinWait(8);
            if (Next(last) is not { } next) next = Sleep(last);
            last = next;
            next.Take();
        }
    }

    Work? Next(Work? last) => Volatile.Read(ref current) is { } work && work != last ? work : null;

    Work Sleep(Work? last)
    {
        lock (bed)
        {
            Interlocked.Increment(ref sleeping);
            Work? next;
            while ((next = Next(last)) is null) Monitor.Wait(bed);
            Interlocked.Decrement(ref sleeping);
            return next;
        }
    }

    sealed class Work(Action<int> work, int pieces)
    {
        Action<int>? work = work;
        int taken, done;

        public ExceptionDispatchInfo? Error { get; private set; }

        /// <summary>Takes pieces until none is left.</summary>
        public void Take()
        {
            for (int piece; (piece = Interlocked.Increment(ref taken) - 1) < pieces; Interlocked.Increment(ref done))
            {
                try
                {
                    work!(piece);
                }
                catch (Exception e)
                {
                    Error = ExceptionDispatchInfo.Capture(e);
                }
            }
        }

        /// <summary>Waits for the pieces that others have taken.</summary>
        public void Wait()
        {
            SpinWait spin = default;
            while (Volatile.Read(ref done) < pieces) spin.SpinOnce(sleep1Threshold: -1);
            work = null; // a sleeping thread remembers its last work, but must not keep what that worked on
        }
    }
}
