namespace VaeFunctions.Bench.Scale;

/// <summary>The clock of one function run: the project's code runs at once, and what it asks the storage for moves its time on.
/// Images are read and written on as many lanes side by side as the code has; everything else waits for all of them.</summary>
sealed class Run(double start, double dies, Account account, RandomStream random)
{
    const int Lanes = 8;

    static readonly AsyncLocal<Run?> current = new();

    readonly double[] lanes = [.. Enumerable.Repeat(start, Lanes)];

    /// <summary>The run that the caller is part of; null while the simulation is set up.</summary>
    public static Run? Current
    {
        get => current.Value;
        set => current.Value = value;
    }

    public double Start => start;

    /// <summary>What the processors have to do for it.</summary>
    public double Computing { get; private set; }

    public double Now { get { lock (lanes) return lanes.Max(); } }

    /// <summary>A request that the run waits for.</summary>
    /// <exception cref="ReplicaLostException">Its replica ends before the answer.</exception>
    public double Ask(double seconds, int requests = 1)
    {
        lock (lanes)
        {
            var now = lanes.Max();
            for (var i = 0; i < requests; i++)
                now = account.Admit(now) + Latency(seconds);
            Array.Fill(lanes, now);
            return Alive(now);
        }
    }

    /// <summary>Requests for an image, and its share of the processors.</summary>
    public double AskForImage(double seconds, int requests, double computing)
    {
        lock (lanes)
        {
            var lane = Array.IndexOf(lanes, lanes.Min());
            for (var i = 0; i < requests; i++)
                lanes[lane] = account.Admit(lanes[lane]) + Latency(seconds);
            Computing += computing;
            return Alive(lanes[lane]);
        }
    }

    /// <summary>Moves the clock on to when the processors are done.</summary>
    public double Compute(double speed)
    {
        lock (lanes)
        {
            Array.Fill(lanes, Math.Max(lanes.Max(), start + Computing / speed));
            return lanes[0];
        }
    }

    double Alive(double now) => now < dies ? now : throw new ReplicaLostException();

    // The 99th percentile of a log-normal is e^(2.326 σ) medians: five of them.
    double Latency(double median) => median * Math.Exp(Math.Log(5) / 2.326 * random.NextGaussian());
}

/// <summary>The replica that a function ran on is gone.</summary>
sealed class ReplicaLostException : Exception;

/// <summary>A storage account that answers so many requests a second; those beyond wait for the next moment that has
/// room.</summary>
sealed class Account(double rate)
{
    const double Moment = 0.1;

    readonly List<int> moments = [];

    public long Requests { get; private set; }

    /// <summary>Requests that had to wait.</summary>
    public long PutOff { get; private set; }

    /// <summary>When a request that comes at a time is answered at the earliest.</summary>
    public double Admit(double at)
    {
        lock (moments)
        {
            Requests++;
            var moment = (int)(at / Moment);
            var first = moment;
            while (true)
            {
                while (moments.Count <= moment) moments.Add(0);
                if (moments[moment] < rate * Moment) break;
                moment++;
            }
            moments[moment]++;
            if (moment > first) PutOff++;
            return moment == first ? at : moment * Moment;
        }
    }
}
