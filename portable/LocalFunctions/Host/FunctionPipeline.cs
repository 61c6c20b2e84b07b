using System.Globalization;
using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.DependencyInjection;

namespace VaeFunctions.LocalFunctions;

/// <summary>Runs a function: makes its class, binds its parameters by type or name, and passes through the middleware.</summary>
sealed class FunctionPipeline(IEnumerable<Func<FunctionExecutionDelegate, FunctionExecutionDelegate>> middleware)
{
    readonly FunctionExecutionDelegate run =
        middleware.Reverse().Aggregate((FunctionExecutionDelegate)InvokeAsync, (next, outer) => outer(next));

    /// <summary>Runs a function once and gives back what it returned.</summary>
    public async Task<object?> RunAsync(FunctionMethod function, object? trigger, IReadOnlyDictionary<string, object?> data,
        IServiceProvider services, HttpContext? http, CancellationToken cancellation)
    {
        var context = new LocalContext(function, trigger, data, services, cancellation);
        if (http is not null)
            context.Items[typeof(HttpContext)] = http;
        await run(context);
        return context.GetInvocationResult().Value;
    }

    static async Task InvokeAsync(FunctionContext context)
    {
        var local = (LocalContext)context;
        var method = local.Function.Method;
        var arguments = method.GetParameters().Select(local.Bind).ToArray();
        var instance = method.IsStatic ? null : ActivatorUtilities.CreateInstance(context.InstanceServices, method.DeclaringType!);
        try
        {
            var returned = method.Invoke(instance, BindingFlags.DoNotWrapExceptions, null, arguments, CultureInfo.InvariantCulture);
            context.GetInvocationResult().Value = returned is Task task ? await ResultAsync(task, local.Function.Result) : returned;
        }
        finally
        {
            if (instance is IAsyncDisposable later)
                await later.DisposeAsync();
            else
                (instance as IDisposable)?.Dispose();
        }
    }

    static async Task<object?> ResultAsync(Task task, PropertyInfo? result)
    {
        await task;
        return result?.GetValue(task);
    }

    sealed class Result : InvocationResult
    {
        public override object? Value { get; set; }
    }

    sealed class Bindings(IReadOnlyDictionary<string, object?> data) : BindingContext
    {
        public override IReadOnlyDictionary<string, object?> BindingData => data;
    }

    sealed class LocalContext(FunctionMethod function, object? trigger, IReadOnlyDictionary<string, object?> data,
        IServiceProvider services, CancellationToken cancellation) : FunctionContext
    {
        public FunctionMethod Function => function;

        public override string InvocationId { get; } = Guid.NewGuid().ToString();

        public override FunctionDefinition FunctionDefinition => function;

        public override BindingContext BindingContext { get; } = new Bindings(data);

        public override IServiceProvider InstanceServices { get; set; } = services;

        public override IDictionary<object, object> Items { get; set; } =
            new Dictionary<object, object> { [typeof(InvocationResult)] = new Result() };

        public override CancellationToken CancellationToken => cancellation;

        public object? Bind(ParameterInfo parameter)
        {
            var type = parameter.ParameterType;
            if (parameter == function.TriggerParameter)
                return trigger;
            if (type == typeof(FunctionContext))
                return this;
            if (type == typeof(CancellationToken))
                return cancellation;
            if (type == typeof(HttpRequest))
                return this.GetHttpContext()?.Request;
            if (data.TryGetValue(parameter.Name!, out var value) && value is not null)
                return type.IsInstanceOfType(value) ? value : Convert.ChangeType(value, Nullable.GetUnderlyingType(type) ?? type, CultureInfo.InvariantCulture);
            return parameter.HasDefaultValue ? parameter.DefaultValue : type.IsValueType ? Activator.CreateInstance(type) : null;
        }
    }
}
