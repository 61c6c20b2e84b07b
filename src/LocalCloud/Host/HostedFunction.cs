using Newtonsoft.Json.Linq;
using VaeFunctions.LocalCloud.Host.Rpc;

namespace VaeFunctions.LocalCloud.Host;

/// <summary>A function as the worker describes it: its name, and the binding that sets it off.</summary>
sealed record HostedFunction(RpcFunctionMetadata Metadata, JObject Trigger)
{
    public string Name => Metadata.Name;

    /// <summary>The function's parameter that receives the trigger.</summary>
    public string TriggerName => (string)Trigger["name"]!;

    public bool IsHttp => Is("httpTrigger");

    /// <summary>Whether Event Grid tells of this function's blobs, rather than the host looking for them.</summary>
    public bool IsToldOfBlobs =>
        Is("blobTrigger") && ((string?)Trigger["source"])?.Equals("EventGrid", StringComparison.OrdinalIgnoreCase) is true;

    public bool Is(string type) => string.Equals((string?)Trigger["type"], type, StringComparison.OrdinalIgnoreCase);

    /// <exception cref="LocalCloudException">It has a binding that this host does not know.</exception>
    public static HostedFunction Of(RpcFunctionMetadata metadata)
    {
        var inputs = metadata.RawBindings.Select(JObject.Parse)
            .Where(binding => string.Equals((string?)binding["direction"], "In", StringComparison.OrdinalIgnoreCase)).ToList();
        return inputs is [var trigger]
            ? new(metadata, trigger)
            : throw new LocalCloudException($"Function {metadata.Name} has {inputs.Count} input bindings; this host serves "
                + "functions with a trigger and no other input.");
    }
}
