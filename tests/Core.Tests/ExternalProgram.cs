using System.ComponentModel;
using System.Diagnostics;

namespace VaeFunctions.Tests;

/// <summary>Other people's programs, which may be absent: the tests that need one skip with the reason.</summary>
static class ExternalProgram
{
    /// <summary>What a program printed and its exit code, or null where there is no such program.</summary>
    public static (int ExitCode, string Output, string Errors)? Run(string program, params string[] arguments)
    {
        try
        {
            var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output, errors.Result);
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    /// <summary>A Python with a package, Debian's first; the test skips where there is none.</summary>
    public static string PythonWith(string package, string debianName)
    {
        var python = new[] { "/usr/bin/python3", "python3" }.FirstOrDefault(
            path => Run(path, "-c", $"import {package}") is { ExitCode: 0 });
        Skip.If(python is null, $"no python3 with the {package} package is installed (Debian: {debianName})");
        return python!;
    }

    /// <summary>The folder from which Node finds the project's npm packages; the test skips where the package is not
    /// restored.</summary>
    public static string NodeFolderWith(string package)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (Directory.Exists(Path.Combine(folder.FullName, "node_modules", package))) return folder.FullName;
        }
        Skip.If(true, $"the npm package {package} is not restored (npm ci --ignore-scripts)");
        return "";
    }
}
