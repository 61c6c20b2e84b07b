using System.CommandLine;

namespace VaeFunctions.LocalCloud;

/// <summary><c>demo</c>: the whole way from images to functions, with pictures of every step.</summary>
static class DemoCommand
{
    public static Command Create()
    {
        var output = new Option<string>("--out")
        {
            Description = "the folder for pictures, index.html and demo.json",
            DefaultValueFactory = _ => "demo"
        };
        var recipe = new Option<string>("--recipe") { Description = "what to train", DefaultValueFactory = _ => "faces-vae" };
        var epochs = new Option<int?>("--epochs") { Description = "how long to train; the recipe's own by default" };
        var data = new Option<string?>("--data") { Description = "what to train on; the recipe's own by default" };
        var command = new Command(
            "demo", "Trains on the built-in faces, publishes, serves, drops images, samples; a gallery in ./demo.")
        { output, recipe, epochs, data };
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var demo = new Demo(Path.GetFullPath(parsed.GetValue(output)!), parsed.GetValue(recipe)!);
            try
            {
                var explorer = await demo.RunAsync(parsed.GetValue(epochs), parsed.GetValue(data), cancellation);
                if (Explorer.IsTerminal)
                    await ExploreAsync(explorer, cancellation);
                return 0;
            }
            catch (OperationCanceledException)
            {
                await Console.Error.WriteLineAsync("The demo keeps nothing, whatever its training says, and starts anew; "
                    + "./vae train faces-vae keeps checkpoints.");
                throw;
            }
        });
        return command;
    }

    /// <summary>Who sits at a terminal goes on in the explorer, which this serves until Ctrl-C.</summary>
    static async Task ExploreAsync(string address, CancellationToken cancellation)
    {
        Console.WriteLine($"Play with it: {address}");
        Console.WriteLine("Ctrl-C stops.");
        Explorer.TryOpen(address);
        await Task.Delay(Timeout.Infinite, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
