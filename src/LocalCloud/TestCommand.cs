using System.CommandLine;
using System.Xml.Linq;

namespace VaeFunctions.LocalCloud;

/// <summary><c>test</c>: runs all tests, says why which of them were skipped, and ends with the line that counts them.</summary>
static class TestCommand
{
    /// <summary>A test that has said nothing for this long is ended.</summary>
    const string Patience = "VAE_TEST_PATIENCE";

    /// <summary>The assemblies that take longest begin, so that two are at work until the end.</summary>
    static readonly string[] longestFirst = ["EndToEnd.Tests", "Functions.Tests", "TrainingJob.Tests"];

    static readonly XNamespace trx = "http://microsoft.com/schemas/VisualStudio/TeamTest/2010";

    public static Command Create()
    {
        var arguments = new Argument<string[]>("ARGUMENTS")
        {
            Description = "what dotnet test is given, such as --filter Inbox",
            Arity = ArgumentArity.ZeroOrMore
        };
        var command = new Command(
            "test", "All tests, as they were built; the last line is \"N passed, N failed, N skipped\".") { arguments };
        command.TreatUnmatchedTokensAsErrors = false;
        command.SetAction(
            (parsed, cancellation) => TestAsync([.. parsed.GetValue(arguments)!, .. parsed.UnmatchedTokens], cancellation));
        return command;
    }

    static async Task<int> TestAsync(string[] arguments, CancellationToken cancellation)
    {
        var results = Path.Combine(Installation.Artifacts, "tests");
        if (Directory.Exists(results))
            Directory.Delete(results, recursive: true);
        string[] all = [.. Directory.GetDirectories(Path.Combine(Installation.Root, "tests"), "*.Tests")
            .Select(Path.GetFileName)
            .Order(StringComparer.Ordinal).OrderBy(name => (uint)Array.IndexOf(longestFirst, name))
            .Select(name => Installation.Dll(name!))];
        // Two at a time: while the functions' tests wait for storage, others compute.
        string[] settings = arguments.Contains("--") ? [] : ["--", "RunConfiguration.MaxCpuCount=2"];
        var exitCode = await RunOnceAsync("tests", results, all, [.. arguments, .. settings], [], cancellation);
        if (arguments is [])
        {
            // The kernels again, as on processors with narrower vectors.
            string[] core = [Installation.Dll("Core.Tests")], kernels = ["--filter", "FullyQualifiedName~Conformance", "--",
                "RunConfiguration.TreatNoTestsAsError=true"];
            var narrower = await Task.WhenAll(
                RunOnceAsync("avx2", results, core, kernels, new() { ["DOTNET_EnableAVX512"] = "0" }, cancellation),
                RunOnceAsync("sse", results, core, kernels, new() { ["DOTNET_EnableAVX2"] = "0" }, cancellation));
            exitCode |= narrower[0] | narrower[1];
        }
        return Report(results, exitCode);
    }

    static async Task<int> RunOnceAsync(
        string name, string results, string[] dlls, string[] arguments, Dictionary<string, string> environment,
        CancellationToken cancellation)
    {
        await using var tests = ChildProcess.Start("dotnet test", "dotnet",
            [
                "test", .. dlls, "--logger", $"trx;LogFileName={name}.trx", "--results-directory", results,
                "--blame-hang-timeout", Environment.GetEnvironmentVariable(Patience) ?? "5m", "--blame-hang-dump-type", "none",
                .. arguments,
            ],
            // The programs that tests start end before profiles of their code pay, and W^X costs them a tenth.
            new Dictionary<string, string>(environment)
            {
                ["DOTNET_TieredPGO"] = "0",
                ["DOTNET_EnableWriteXorExecute"] = "0",
            });
        return await tests.WaitForExitAsync(cancellation);
    }

    /// <summary>The skipped tests with their reasons, and how many passed, failed and were skipped.</summary>
    static int Report(string results, int exitCode)
    {
        var outcomes = (Directory.Exists(results) ? Directory.GetFiles(results, "*.trx") : []).Order(StringComparer.Ordinal)
            .SelectMany(file => XDocument.Load(file).Descendants(trx + "UnitTestResult"))
            .ToLookup(test => (string)test.Attribute("outcome")!);
        var (passed, skipped) = (outcomes["Passed"].Count(), outcomes["NotExecuted"].Count());
        var failed = outcomes.Sum(outcome => outcome.Count()) - passed - skipped;
        if (skipped > 0)
            Console.WriteLine("Skipped:");
        foreach (var test in outcomes["NotExecuted"])
            Console.WriteLine($"  {(string)test.Attribute("testName")!}: {Reason(test)}");
        if (exitCode != 0 && failed == 0)
        {
            Console.WriteLine("The test run itself failed; its output is above.");
            failed = 1;
        }
        Console.WriteLine($"{passed} passed, {failed} failed, {skipped} skipped");
        return failed > 0 || passed == 0 ? 1 : 0;
    }

    static string Reason(XElement test) =>
        (test.Descendants(trx + "Message").FirstOrDefault() ?? test.Descendants(trx + "StdOut").FirstOrDefault())?.Value.Trim()
            ?? "";
}
