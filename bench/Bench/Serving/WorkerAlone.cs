using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using VaeFunctions.LocalCloud;
using VaeFunctions.LocalCloud.Host;

namespace VaeFunctions.Bench.Serving;

/// <summary>The functions' worker without a host before it: requests go to the port that it listens on itself. It answers none
/// that it was not told of by gRPC, which this process does, as a host would.</summary>
sealed class WorkerAlone : IAsyncDisposable
{
    static readonly TimeSpan grace = TimeSpan.FromSeconds(10);

    readonly WebApplication rpc;
    readonly TextWriter log;
    readonly WorkerSession worker;
    readonly HostedFunction decode;
    readonly KeyValuePair<string, object?>[] route;

    WorkerAlone(WebApplication rpc, TextWriter log, WorkerSession worker, string model)
    {
        (this.rpc, this.log, this.worker, route) = (rpc, log, worker, [new("model", model)]);
        decode = worker.Functions.Select(HostedFunction.Of).Single(function => function.Name == "Decode");
    }

    /// <summary>The worker's process.</summary>
    public IReadOnlyList<int> Processes => WorkersOf(rpc).ProcessIds;

    /// <summary>A worker that serves a model.</summary>
    /// <param name="published">A folder that is a registry.</param>
    /// <param name="data">A folder for its log.</param>
    public static async Task<WorkerAlone> StartAsync(
        string published, string model, string data, CancellationToken cancellation)
    {
        var options = FunctionsHost.Options(port: 0, workers: 1, $"folder:{published}", data);
        var rpc = LocalHost.BuildRpc(options);
        try
        {
            await rpc.StartAsync(cancellation);
            var worker = await WorkersOf(rpc).StartAsync(new Uri(rpc.Urls.First()), cancellation);
            return new(rpc, options.Log, worker, model);
        }
        catch
        {
            await StopAsync(rpc, options.Log);
            throw;
        }
    }

    /// <inheritdoc cref="Server.LoadAsync"/>
    public async Task<Load> LoadAsync(byte[] body, int count, TimeSpan time)
    {
        var address = new Uri(new Uri(worker.HttpAddress), $"api/models/{route[0].Value}/decode");
        Client[] clients = [.. Enumerable.Range(0, count).Select(_ => new Client(address, body, HttpFront.InvocationHeader))];
        try
        {
            return await Load.OfAsync(clients.Select(client => (Action)(() => Ask(client))), time);
        }
        finally
        {
            foreach (var client in clients) client.Dispose();
        }
    }

    void Ask(Client client)
    {
        var told = HttpFront.Invocation(decode, worker, route);
        var invocation = worker.InvokeAsync(told, CancellationToken.None);
        client.Ask(told.InvocationId);
        invocation.GetAwaiter().GetResult();
    }

    public ValueTask DisposeAsync() => StopAsync(rpc, log);

    static WorkerPool WorkersOf(WebApplication rpc) => rpc.Services.GetRequiredService<WorkerPool>();

    static async ValueTask StopAsync(WebApplication rpc, TextWriter log)
    {
        await WorkersOf(rpc).StopAsync(grace);
        await rpc.StopAsync(CancellationToken.None);
        await rpc.DisposeAsync();
        await log.DisposeAsync();
    }
}
