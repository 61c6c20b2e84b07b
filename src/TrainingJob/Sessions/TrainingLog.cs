using System.Globalization;
using Spectre.Console;
using VaeFunctions.Training;

namespace VaeFunctions.Sessions;

/// <summary>Tells a person how the training goes: a progress bar on a terminal, plain lines elsewhere.</summary>
public abstract class TrainingLog
{
    /// <summary>Tells nobody.</summary>
    public static TrainingLog Silent { get; } = new SilentLog();

    /// <summary>Writes to standard output.</summary>
    public static TrainingLog OnConsole() => Console.IsOutputRedirected || !AnsiConsole.Profile.Capabilities.Interactive
        ? new PlainLog()
        : new ProgressBarLog();

    /// <summary>A line for people.</summary>
    public abstract void Line(string text);

    /// <summary>So many images are read; from any thread.</summary>
    public abstract void Loaded(int images, int of);

    /// <summary>A step was taken; epochs and batches count from 1.</summary>
    public abstract void Stepped(int epoch, int epochs, int batch, int batches, double loss, double imagesPerSecond);

    /// <summary>An epoch ended and was evaluated.</summary>
    public virtual void EpochEnded(EpochMetrics metrics, int epochs) => Line(string.Create(CultureInfo.InvariantCulture,
        $"epoch {metrics.Epoch}/{epochs}: train {metrics.Train.Loss:G5}, test {metrics.Test.Loss:G5} "
        + $"({metrics.Test.Sum}{Extras(metrics)}), {metrics.ImagesPerSecond:F0} "
        + $"images/s, {metrics.Seconds:F1} s"));

    static string Extras(EpochMetrics metrics) => string.Create(CultureInfo.InvariantCulture,
        $"{(metrics.Test.CodesUsed is { } codes
            ? $", {Plural.Of(codes, "code")} used, perplexity {metrics.Test.Perplexity:F1}"
            : "")}"
        + $"{(metrics.SkippedSteps > 0 ? $", {Plural.Of(metrics.SkippedSteps, "step")} skipped" : "")}");

    /// <summary>Runs the work with the log open.</summary>
    public virtual Task<T> ShowAsync<T>(Func<Task<T>> work) => work();

    sealed class SilentLog : TrainingLog
    {
        public override void Line(string text)
        {
        }

        public override void Loaded(int images, int of)
        {
        }

        public override void Stepped(int epoch, int epochs, int batch, int batches, double loss, double imagesPerSecond)
        {
        }
    }

    sealed class PlainLog : TrainingLog
    {
        const long Interval = 10_000; // milliseconds between lines

        long next = Environment.TickCount64 + Interval;
        bool stepped;

        public override void Line(string text) => Console.WriteLine(text);

        public override void Loaded(int images, int of)
        {
            if (IsTime()) Line(string.Create(CultureInfo.InvariantCulture, $"  {images:N0} of {of:N0} images read"));
        }

        public override void Stepped(int epoch, int epochs, int batch, int batches, double loss, double imagesPerSecond)
        {
            if (stepped && !IsTime()) return;
            stepped = true; // the first step is told at once, so that people see that it learns
            Line(string.Create(CultureInfo.InvariantCulture,
                $"  epoch {epoch}/{epochs}, batch {batch}/{batches}: loss {loss:G4}, {imagesPerSecond:F0} images/s"));
        }

        /// <summary>Whether a line is due, which one of several threads is told.</summary>
        bool IsTime()
        {
            var (due, now) = (Interlocked.Read(ref next), Environment.TickCount64);
            return now >= due && Interlocked.CompareExchange(ref next, now + Interval, due) == due;
        }
    }

    sealed class ProgressBarLog : TrainingLog
    {
        readonly RemainingTime remaining = new();
        ProgressTask? bar;

        public override void Line(string text)
        {
            if (bar is null) Console.WriteLine(text); // as it is: AnsiConsole would break it, and people copy from it
            else AnsiConsole.WriteLine(text);
        }

        public override void Loaded(int images, int of)
        {
            if (bar is not { } shown) return;
            lock (shown)
            {
                shown.MaxValue = of;
                if (images <= shown.Value) return; // overtaken by another thread
                shown.Value = images;
                shown.Description = string.Create(CultureInfo.InvariantCulture, $"{images:N0} of {of:N0} images read");
            }
        }

        public override void Stepped(int epoch, int epochs, int batch, int batches, double loss, double imagesPerSecond)
        {
            if (bar is null) return;
            bar.MaxValue = (double)epochs * batches;
            bar.Value = (epoch - 1.0) * batches + batch;
            var left = remaining.After((long)bar.Value, (long)bar.MaxValue, TimeSpan.FromMilliseconds(Environment.TickCount64));
            var ending = left is { } time ? $"  {time:h\\:mm\\:ss} left" : "";
            bar.Description = string.Create(CultureInfo.InvariantCulture,
                $"epoch {epoch}/{epochs}  loss {loss:G4}  {imagesPerSecond:F0} images/s{ending}");
        }

        public override Task<T> ShowAsync<T>(Func<Task<T>> work) => AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn())
            .StartAsync(async progress =>
            {
                bar = progress.AddTask("starting", maxValue: 1);
                try
                {
                    return await work();
                }
                finally
                {
                    bar = null;
                }
            });
    }
}
