using Microsoft.AspNetCore.Http;

namespace Microsoft.Azure.Functions.Worker
{
    /// <summary>One run of one function.</summary>
    public abstract class FunctionContext
    {
        public abstract string InvocationId { get; }

        public abstract FunctionDefinition FunctionDefinition { get; }

        public abstract BindingContext BindingContext { get; }

        public abstract IServiceProvider InstanceServices { get; set; }

        public abstract IDictionary<object, object> Items { get; set; }

        public virtual CancellationToken CancellationToken => CancellationToken.None;
    }

    /// <summary>What is known of a function before it runs.</summary>
    public abstract class FunctionDefinition
    {
        public abstract string Id { get; }

        public abstract string Name { get; }

        public abstract string EntryPoint { get; }
    }

    /// <summary>The values that route and path patterns gave, by name.</summary>
    public abstract class BindingContext
    {
        public abstract IReadOnlyDictionary<string, object?> BindingData { get; }
    }

    /// <summary>What a function returned; middleware may replace it.</summary>
    public abstract class InvocationResult
    {
        public abstract object? Value { get; set; }
    }

    public static class FunctionContextExtensions
    {
        /// <summary>The request behind this run, or null where it was not set off by HTTP.</summary>
        public static HttpContext? GetHttpContext(this FunctionContext context) =>
            context.Items.TryGetValue(typeof(HttpContext), out var value) ? value as HttpContext : null;

        /// <summary>The run's result, settable.</summary>
        public static InvocationResult GetInvocationResult(this FunctionContext context) =>
            (InvocationResult)context.Items[typeof(InvocationResult)];
    }
}

namespace Microsoft.Azure.Functions.Worker.Middleware
{
    /// <summary>The rest of the pipeline, the function at its end.</summary>
    public delegate Task FunctionExecutionDelegate(FunctionContext context);

    /// <summary>Code around every function.</summary>
    public interface IFunctionsWorkerMiddleware
    {
        Task Invoke(FunctionContext context, FunctionExecutionDelegate next);
    }
}
