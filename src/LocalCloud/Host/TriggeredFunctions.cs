using Azure.Storage.Blobs.Models;
using Google.Protobuf;
using Microsoft.Azure.WebJobs;
using Microsoft.Azure.WebJobs.Host;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;
using VaeFunctions.LocalCloud.Host.Rpc;
using ExecutionContext = Microsoft.Azure.WebJobs.ExecutionContext;

namespace VaeFunctions.LocalCloud.Host;

/// <summary>What the emitted type derives from: turns what the SDK's listeners deliver into invocations of the worker.</summary>
public abstract class TriggeredFunctions
{
    internal WorkerInvoker Invoker { get; set; } = null!; // set by Activator

    public Task InvokeAsync(
        string function, object? trigger, Binder binder, ExecutionContext context, CancellationToken cancellation) =>
        Invoker.InvokeAsync(function, trigger, binder.BindingData, context.InvocationId, cancellation);

    /// <summary>Makes the emitted type's instances.</summary>
    internal sealed class Activator(WorkerInvoker invoker) : IJobActivator
    {
        public T CreateInstance<T>()
        {
            var instance = System.Activator.CreateInstance<T>();
            if (instance is TriggeredFunctions functions)
                functions.Invoker = invoker;
            return instance;
        }
    }
}

/// <summary>Runs functions that blobs, messages and timers set off.</summary>
sealed class WorkerInvoker(
    WorkerPool workers, IReadOnlyList<HostedFunction> functions, IReadOnlyList<BlobEvents> events, HeldMessages messages)
{
    readonly Dictionary<string, HostedFunction> byName = functions.ToDictionary(function => function.Name);

    public async Task InvokeAsync(
        string name, object? trigger, IReadOnlyDictionary<string, object?> data, Guid id, CancellationToken cancellation)
    {
        var function = byName[name];
        var request = new InvocationRequest { InvocationId = id.ToString(), FunctionId = function.Metadata.FunctionId };
        request.InputData.Add(new ParameterBinding { Name = function.TriggerName, Data = ToRpc(trigger) });
        foreach (var (key, value) in data)
        {
            if (value is not null && key != "sys") // the SDK's own
                request.TriggerMetadata[key] = ToRpc(value);
        }
        using var held = function.Is("queueTrigger")
            ? messages.Hold((string)function.Trigger["queueName"]!, (string)data["Id"]!, (string)data["PopReceipt"]!)
            : null;
        var worker = await workers.ReadyAsync(cancellation);
        await worker.InvokeAsync(request, cancellation);
        if (events.SingleOrDefault(source => source.Function == name) is { } told)
            told.Finish(((string)data["BlobTrigger"]!).Split('/', 2)[1], ((BlobProperties)data["Properties"]!).ETag);
    }

    static TypedData ToRpc(object? value) => value switch
    {
        null => new(),
        string text => new() { String = text },
        byte[] bytes => new() { Bytes = ByteString.CopyFrom(bytes) },
        JToken json => new() { Json = json.ToString(Formatting.None) },
        ParameterBindingData data => new()
        {
            ModelBindingData = new()
            {
                Version = data.Version,
                Source = data.Source,
                ContentType = data.ContentType,
                Content = ByteString.CopyFrom(data.Content),
            },
        },
        _ => new() { Json = JsonConvert.SerializeObject(value, Formatting.None) },
    };
}
