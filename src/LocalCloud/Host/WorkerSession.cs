using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using VaeFunctions.LocalCloud.Host.Rpc;
using Content = VaeFunctions.LocalCloud.Host.Rpc.StreamingMessage.ContentOneofCase;
using Status = VaeFunctions.LocalCloud.Host.Rpc.StatusResult.Types.Status;

namespace VaeFunctions.LocalCloud.Host;

/// <summary>A conversation with one worker process: one stream, on which answers find their questions by invocation id.</summary>
sealed class WorkerSession(ILoggerFactory logs)
{
    /// <summary>The version of Azure's host whose manner this one has; workers of .NET do not look at it.</summary>
    const string HostVersion = "4.1041.0";

    /// <summary>Sends a message no sooner than the one after it, which therefore must be waiting already.</summary>
    static readonly WriteOptions withTheNext = new(WriteFlags.BufferHint);

    readonly Channel<StreamingMessage> outgoing = Channel.CreateUnbounded<StreamingMessage>(new() { SingleReader = true });
    readonly ConcurrentDictionary<string, TaskCompletionSource<InvocationResponse>> running = new();
    readonly ConcurrentDictionary<string, TaskCompletionSource<StreamingMessage>> asked = new();
    readonly ConcurrentDictionary<string, ILogger> loggers = new();
    readonly TaskCompletionSource connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    volatile Exception? lost;

    public string Id { get; } = Guid.NewGuid().ToString();

    /// <summary>Completes when the worker can be talked to no more.</summary>
    public Task Ended => ended.Task;

    public IReadOnlyList<RpcFunctionMetadata> Functions { get; private set; } = [];

    /// <summary>Where the worker's own web server listens, to which requests are forwarded.</summary>
    public string HttpAddress { get; private set; } = "";

    /// <summary>Whether the worker wants the values of a route with an HTTP invocation.</summary>
    public bool TakesRouteParameters { get; private set; }

    /// <summary>How many invocations the worker is busy with.</summary>
    public int Running => running.Count;

    /// <summary>Opens the conversation: WorkerInit, FunctionsMetadata, and FunctionLoad for each function.</summary>
    /// <exception cref="WorkerLostException">The worker ended meanwhile.</exception>
    /// <exception cref="LocalCloudException">The worker refuses, or does not answer in time.</exception>
    public async Task InitializeAsync(string folder, TimeSpan patience, CancellationToken cancellation)
    {
        try
        {
            await connected.Task.WaitAsync(patience, cancellation);
            var init = (await AskAsync(nameof(Content.WorkerInitResponse), new()
            {
                WorkerInitRequest = new() { HostVersion = HostVersion, WorkerDirectory = folder, FunctionAppDirectory = folder },
            }, patience, cancellation)).WorkerInitResponse;
            Check(init.Result, "initialisation");
            HttpAddress = init.Capabilities.TryGetValue("HttpUri", out var address) ? address : "";
            TakesRouteParameters = init.Capabilities.ContainsKey("RequiresRouteParameters");

            var metadata = (await AskAsync(nameof(Content.FunctionMetadataResponse), new()
            {
                FunctionsMetadataRequest = new() { FunctionAppDirectory = folder },
            }, patience, cancellation)).FunctionMetadataResponse;
            Check(metadata.Result, "the list of its functions");
            Functions = [.. metadata.FunctionMetadataResults];

            foreach (var answer in await Task.WhenAll(Functions.Select(function => AskAsync(function.FunctionId, new()
            {
                FunctionLoadRequest = new() { FunctionId = function.FunctionId, Metadata = function },
            }, patience, cancellation))))
                Check(answer.FunctionLoadResponse.Result, "loading a function");
        }
        catch (TimeoutException)
        {
            throw new LocalCloudException($"The functions' worker did not answer within {patience.TotalSeconds:0} s.");
        }
    }

    /// <summary>Runs a function and gives what it answered.</summary>
    /// <exception cref="FunctionFailedException">The function threw.</exception>
    /// <exception cref="WorkerLostException">The worker ended first.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, which the worker has confirmed.</exception>
    public async Task<InvocationResponse> InvokeAsync(InvocationRequest request, CancellationToken cancellation)
    {
        // A worker answers a request without a trace context with a NullReferenceException.
        request.TraceContext =
            new() { TraceParent = Activity.Current?.Id ?? "", TraceState = Activity.Current?.TraceStateString ?? "" };
        var answer = running[request.InvocationId] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            Send(new() { InvocationRequest = request });
            await using var asking = cancellation.Register(
                () => outgoing.Writer.TryWrite(new() { InvocationCancel = new() { InvocationId = request.InvocationId } }));
            var response = await answer.Task;
            return response.Result.Status switch
            {
                Status.Success => response,
                Status.Cancelled => throw new OperationCanceledException(response.Result.Exception?.Message, cancellation),
                _ => throw new FunctionFailedException(response.Result.Exception),
            };
        }
        finally
        {
            running.TryRemove(request.InvocationId, out _);
        }
    }

    /// <summary>Asks the worker to end.</summary>
    public void Terminate(TimeSpan grace) =>
        outgoing.Writer.TryWrite(new() { WorkerTerminate = new() { GracePeriod = Duration.FromTimeSpan(grace) } });

    /// <summary>Fails everything that waits for this worker.</summary>
    public void Lose(string why)
    {
        lost ??= new WorkerLostException(why);
        outgoing.Writer.TryComplete();
        connected.TrySetException(lost);
        foreach (var source in running.Values)
            source.TrySetException(lost);
        foreach (var source in asked.Values)
            source.TrySetException(lost);
        ended.TrySetResult();
    }

    /// <summary>Carries messages both ways until the stream ends.</summary>
    public async Task PumpAsync(
        IAsyncStreamReader<StreamingMessage> from, IServerStreamWriter<StreamingMessage> to, CancellationToken aborted)
    {
        connected.TrySetResult();
        var writing = WriteAsync(to, aborted);
        try
        {
            await foreach (var message in from.ReadAllAsync(aborted))
                Receive(message);
        }
        finally
        {
            Lose("The functions' worker closed its connection.");
            await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    async Task WriteAsync(IServerStreamWriter<StreamingMessage> to, CancellationToken aborted)
    {
        await foreach (var message in outgoing.Reader.ReadAllAsync(aborted))
        {
            to.WriteOptions = outgoing.Reader.TryPeek(out _) ? withTheNext : WriteOptions.Default;
            await to.WriteAsync(message, aborted);
        }
    }

    void Receive(StreamingMessage message)
    {
        switch (message.ContentCase)
        {
            case Content.InvocationResponse:
                if (running.TryRemove(message.InvocationResponse.InvocationId, out var source))
                    source.TrySetResult(message.InvocationResponse);
                break;
            case Content.RpcLog:
                Log(message.RpcLog);
                break;
            case Content.FunctionLoadResponse:
                Answer(message.FunctionLoadResponse.FunctionId, message);
                break;
            default:
                Answer(message.ContentCase.ToString(), message);
                break;
        }
    }

    void Answer(string key, StreamingMessage message)
    {
        if (asked.TryRemove(key, out var answer))
            answer.TrySetResult(message);
    }

    /// <summary>A line of the worker's log, with its level and category. Their numbers are LogLevel's.</summary>
    void Log(RpcLog log)
    {
        var text = log.Exception is { Message.Length: > 0 } fault
            ? $"{log.Message} {fault.Message}\n{fault.StackTrace}"
            : log.Message;
        loggers.GetOrAdd(log.Category, logs.CreateLogger).Log((LogLevel)(int)log.Level, "{Message}", text.TrimEnd());
    }

    void Send(StreamingMessage message)
    {
        message.RequestId = Guid.NewGuid().ToString();
        if (!outgoing.Writer.TryWrite(message))
            throw lost!;
    }

    async Task<StreamingMessage> AskAsync(string key, StreamingMessage message, TimeSpan patience, CancellationToken cancellation)
    {
        var answer = asked[key] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Send(message);
        return await answer.Task.WaitAsync(patience, cancellation);
    }

    static void Check(StatusResult result, string what)
    {
        if (result.Status is not Status.Success)
            throw new LocalCloudException(
                $"The functions' worker failed at {what}: {result.Exception?.Message ?? result.Result}");
    }
}

/// <summary>The worker process ended while somebody waited for it.</summary>
sealed class WorkerLostException(string message) : Exception(message);

/// <summary>What a function threw, in the words of its process.</summary>
sealed class FunctionFailedException(Rpc.RpcException? fault) : Exception(fault?.Message ?? "The function failed.")
{
    public override string? StackTrace => fault?.StackTrace;
}

/// <summary>Where workers connect: finds the session that a stream belongs to by the worker id that it starts with.</summary>
sealed class FunctionRpcService(WorkerPool workers) : FunctionRpc.FunctionRpcBase
{
    public override async Task EventStream(
        IAsyncStreamReader<StreamingMessage> requestStream, IServerStreamWriter<StreamingMessage> responseStream,
        ServerCallContext context)
    {
        if (await requestStream.MoveNext(context.CancellationToken) && requestStream.Current.StartStream?.WorkerId is { } id
            && workers.Find(id) is { } session)
            await session.PumpAsync(requestStream, responseStream, context.CancellationToken);
    }
}
