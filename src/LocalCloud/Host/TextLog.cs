using System.Globalization;
using Microsoft.Extensions.Logging;

namespace VaeFunctions.LocalCloud.Host;

/// <summary>Writes log lines as text: time, level, category, message.</summary>
/// <param name="output">A synchronized writer: host and workers share it.</param>
sealed class TextLog(TextWriter output) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new Logger(output, categoryName);

    public void Dispose() => output.Flush();

    sealed class Logger(TextWriter output, string category) : ILogger
    {
        static readonly string[] levels = ["trace", "debug", "info", "warn", "error", "fatal", "none"];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var time = DateTime.Now.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);
            output.WriteLine($"{time} {levels[(int)logLevel]} {category}: "
                + $"{formatter(state, exception)}{(exception is null ? "" : $"\n{exception}")}");
            output.Flush();
        }
    }
}
