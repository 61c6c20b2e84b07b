// What functions say about themselves. Names, namespaces and defaults are those of the Azure Functions isolated worker.
namespace Microsoft.Azure.Functions.Worker;

/// <summary>Makes a method a function with this name.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FunctionAttribute(string name) : Attribute
{
    public string Name { get; } = name;
}

/// <summary>Marks the parameter that receives what set a function off.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public abstract class TriggerBindingAttribute : Attribute;

/// <summary>Who may call a function. Azure asks for a key from <see cref="Function"/> on; the local host asks nobody.</summary>
public enum AuthorizationLevel
{
    Anonymous = 0,
    User = 1,
    Function = 2,
    System = 3,
    Admin = 4,
}

/// <summary>Runs a function for each HTTP request to its route; the route is the function's name unless given.</summary>
public sealed class HttpTriggerAttribute(AuthorizationLevel authLevel, params string[] methods) : TriggerBindingAttribute
{
    public HttpTriggerAttribute(params string[] methods) : this(AuthorizationLevel.Function, methods)
    {
    }

    public AuthorizationLevel AuthLevel { get; } = authLevel;

    public string[]? Methods { get; } = methods is [] ? null : methods;

    public string? Route { get; set; }
}

/// <summary>How Azure learns of new blobs. The local host lists the container, whatever is said here.</summary>
public enum BlobTriggerSource
{
    LogsAndContainerScan,
    EventGrid,
}

/// <summary>Runs a function for each new or changed blob whose <c>container/name</c> fits the pattern.</summary>
public sealed class BlobTriggerAttribute(string blobPath) : TriggerBindingAttribute
{
    public string BlobPath { get; } = blobPath;

    /// <summary>The setting with the storage's connection string; <c>AzureWebJobsStorage</c> unless given.</summary>
    public string? Connection { get; set; }

    public BlobTriggerSource Source { get; set; }
}

/// <summary>Runs a function for each message of a storage queue.</summary>
public sealed class QueueTriggerAttribute(string queueName) : TriggerBindingAttribute
{
    public string QueueName { get; } = queueName;

    /// <summary>The setting with the storage's connection string; <c>AzureWebJobsStorage</c> unless given.</summary>
    public string? Connection { get; set; }
}

/// <summary>Runs a function at the times of an NCRONTAB expression: second, minute, hour, day, month, day of the week; in UTC.</summary>
public sealed class TimerTriggerAttribute(string schedule) : TriggerBindingAttribute
{
    public string Schedule { get; } = schedule;

    public bool RunOnStartup { get; set; }

    /// <summary>Has no effect in the local host, which remembers no schedule between runs.</summary>
    public bool UseMonitor { get; set; } = true;
}

/// <summary>What a timer function is told.</summary>
public class TimerInfo
{
    public ScheduleStatus? ScheduleStatus { get; set; }

    public bool IsPastDue { get; set; }
}

/// <summary>The times around a timer's run, in UTC.</summary>
public class ScheduleStatus
{
    public DateTime Last { get; set; }

    public DateTime Next { get; set; }

    public DateTime LastUpdated { get; set; }
}
