using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using VaeFunctions.Registry;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Training;

/// <summary>The real program on storage that fails in the middle of a training.</summary>
[Collection(AzuriteFixture.Name)]
public sealed class StorageFaultTests(AzuriteFixture azurite) : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("storage-fault-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    static string Program => Path.Combine(AppContext.BaseDirectory, "VaeFunctions.TrainingJob.dll");

    async Task<(int ExitCode, string Output)> RunAsync(
        string? storage, Action<string> onLine, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        start.Environment["VaeStorage"] = storage;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = "";
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            output += line + "\n";
            onLine(line);
        }
        output += await errors;
        await process.WaitForExitAsync();
        return (process.ExitCode, output);
    }

    [SkippableTheory]
    [InlineData("epoch 1/2: ")] // before the last checkpoint
    [InlineData("epoch 2/2: ")] // before publication
    public async Task A_training_whose_storage_goes_down_is_kept_here_and_can_be_published_later(string moment)
    {
        var port = Regex.Match(azurite.ConnectionString, @"127\.0\.0\.1:(\d+)").Groups[1].Value;
        using var gate = new TcpGate(int.Parse(port, CultureInfo.InvariantCulture));
        var storage = azurite.ConnectionString.Replace($":{port}", $":{gate.Port}", StringComparison.Ordinal);
        var model = $"kept-{Guid.NewGuid():N}";

        var closed = false;
        var (exitCode, output) = await RunAsync(storage, line =>
        {
            if (closed || !line.Contains(moment)) return;
            gate.Close();
            closed = true;
        }, "dotnet", Program, "train", "faces-vae", "--data", "faces:1600", "--epochs", "2", "--model", model, "--out", "blob");
        Assert.True(closed && exitCode == 1 && output.Contains("epoch 2/2: ") && !output.Contains("   at "),
            $"{exitCode}: {output}");
        Assert.DoesNotContain(storage.Split("AccountKey=")[1].Split(';')[0], output, StringComparison.Ordinal);
        var advice = Regex.Match(output, @"\./vae (publish \S+ --version \S+) --from (\S+)");
        Assert.True(advice.Success, output);

        gate.Open();
        string[] publish = [Program, .. advice.Groups[1].Value.Split(' '), "--from", advice.Groups[2].Value];
        (exitCode, output) = await RunAsync(storage, _ => { }, "dotnet", publish);
        Assert.True(exitCode == 0 && output.Contains("it serves now"), $"{exitCode}: {output}");
    }

    [SkippableTheory]
    [InlineData("2m", false)] // holds no checkpoint
    [InlineData("20m", true)] // holds one, but not the next one beside it
    public async Task A_disk_that_is_full_ends_a_training_and_leaves_its_last_checkpoint_whole(string size, bool holdsOne)
    {
        var (works, why) = await RunAsync(null, _ => { }, "sh", "-c",
            "unshare -rm sh -c 'mkdir disk && mount -t tmpfs -o size=20m tmpfs disk' && rmdir disk");
        Skip.If(works != 0, $"No small disk can be made without root: {why}");
        // What is on the disk is copied off it before it goes with its namespace.
        var (exitCode, output) = await RunAsync(null, _ => { }, "unshare", "-rm", "sh", "-c", $"""
            mkdir disk && mount -t tmpfs -o size={size} tmpfs disk
            dotnet '{Program}' train faces-vae --data faces:320 --epochs 2 --out disk
            code=$?
            cp -r disk copy
            exit $code
            """);
        Assert.True(exitCode == 1 && output.Contains("free space") && output.Contains("--resume") == holdsOne
            && !output.Contains("   at "), $"{exitCode}: {output}");

        if (!holdsOne) return;
        var copy = new FolderBlobStore(Path.Combine(folder, "copy"));
        var run = await Checkpoint.NewestRunAsync(copy, "faces-vae");
        Assert.Equal(0, (await Checkpoint.ReadAsync(copy, "faces-vae", run!)).State.Epoch);
        Assert.Equal("checkpoint.safetensors",
            Path.GetFileName(Assert.Single(Directory.GetFiles(Path.Combine(folder, "copy", "checkpoints", "faces-vae", run!)))));
    }
}
