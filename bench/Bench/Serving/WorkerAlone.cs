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
    WorkerSession worker = null!;
    HostedFunction decode = null!;
    KeyValuePair<string, object?>[] route = [];

    WorkerAlone(LocalHostOptions options) => (rpc, log) = (LocalHost.BuildRpc(options), options.Log);

    WorkerPool Workers => rpc.Services.GetRequiredService<WorkerPool>();

    /// <summary>The worker's process.</summary>
    public IReadOnlyList<int> Processes => Workers.ProcessIds;

    /// <summary>A worker that serves a model.</summary>
    /// <param name="published">A folder that is a registry.</param>
    /// <param name="data">A folder for its log.</param>
    public static async Task<WorkerAlone> StartAsync(
        string published, string model, string data, CancellationToken cancellation)
    {
        var alone = new WorkerAlone(FunctionsHost.Options(port: 0, workers: 1, $"folder:{published}", data));
        await alone.rpc.StartAsync(cancellation);
        alone.worker = await alone.Workers.StartAsync(new Uri(alone.rpc.Urls.First()), cancellation);
        alone.decode = alone.worker.Functions.Select(HostedFunction.Of).Single(function => function.Name == "Decode");
        alone.route = [new("model", model)];
        return alone;
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

    public async ValueTask DisposeAsync()
    {
        await Workers.StopAsync(grace);
        await rpc.DisposeAsync();
        await log.DisposeAsync();
    }
}
