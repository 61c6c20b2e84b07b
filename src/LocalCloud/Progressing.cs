using System.Diagnostics;
using Spectre.Console;

namespace VaeFunctions.LocalCloud;

/// <summary>Shows how far a drop is: a bar on a terminal, a line every few seconds elsewhere.</summary>
static class Progressing
{
    public static Task<DropReport> RunAsync(string title, Func<Action<DropProgress>, Task<DropReport>> drop) =>
        AnsiConsole.Profile.Capabilities.Interactive && !Console.IsOutputRedirected
            ? BarAsync(title, drop)
            : LinesAsync(title, drop);

    static Task<DropReport> BarAsync(string title, Func<Action<DropProgress>, Task<DropReport>> drop) => AnsiConsole.Progress()
        .AutoClear(true)
        .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn())
        .StartAsync(async context =>
        {
            var upload = context.AddTask($"{title.EscapeMarkup()}: up");
            var answers = context.AddTask("answers");
            return await drop(progress =>
            {
                upload.MaxValue = answers.MaxValue = progress.Total;
                upload.Value = progress.Uploaded;
                answers.Value = progress.Answered;
            });
        });

    static Task<DropReport> LinesAsync(string title, Func<Action<DropProgress>, Task<DropReport>> drop)
    {
        AnsiConsole.WriteLine(title);
        var sinceLine = Stopwatch.StartNew();
        return drop(progress =>
        {
            if (sinceLine.Elapsed < TimeSpan.FromSeconds(5))
                return;
            AnsiConsole.WriteLine($"  {progress.Uploaded} uploaded, {progress.Answered} answered");
            sinceLine.Restart();
        });
    }
}
