using System.CommandLine;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;

namespace VaeFunctions.Commands;

/// <summary><c>rollback MODEL</c>: the version that served before serves again.</summary>
static class RollbackCommand
{
    public static Command Create(string served)
    {
        var model = new Argument<string>("model") { Description = "A published model" };
        Option<string?> to = new("--to") { Description = "A version; the one that served before unless given" };
        var store = CommonOptions.ServedStore();
        var command = new Command("rollback", "Move the pointer back to an earlier version") { model, to, store };
        command.SetAction(async (parsed, cancellation) =>
        {
            var name = parsed.GetRequiredValue(model);
            var registry = new ModelRegistry(Stores.Open(parsed.GetValue(store) ?? served));
            var pointer = await registry.RollbackAsync(name, parsed.GetValue(to), cancellation: cancellation);
            Console.WriteLine($"{name}: {pointer.Version} serves now in {registry.Store.Location}. {pointer.Reason}");
            return 0;
        });
        return command;
    }
}
