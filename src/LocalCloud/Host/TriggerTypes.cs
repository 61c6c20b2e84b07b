#pragma warning disable CS0618 // Marked "not ready for public consumption": the seams that Azure's own host uses.
using System.Reflection;
using System.Reflection.Emit;
using Microsoft.Azure.WebJobs;
using Microsoft.Azure.WebJobs.Host;
using Microsoft.Extensions.DependencyInjection;
using Newtonsoft.Json.Linq;
using Binder = Microsoft.Azure.WebJobs.Binder;
using ExecutionContext = Microsoft.Azure.WebJobs.ExecutionContext;

namespace VaeFunctions.LocalCloud.Host;

/// <summary>
/// Gives the WebJobs SDK what it knows functions as: a type with a method for each, with the trigger's attribute. So does Azure's
/// host. The type is called Host.Functions, by which the SDK names receipts and Event Grid functions.
/// </summary>
/// <remarks>The provider of metadata needs the types' locator, so it is asked for only when the types are.</remarks>
sealed class TriggerTypes(IReadOnlyList<HostedFunction> functions, IServiceProvider services) : ITypeLocator
{
    static readonly string[] parameterNames = ["trigger", "_binder", "_context", "_cancellation"];

    readonly Lazy<Type> type = new(() => Emit(functions, services.GetRequiredService<IJobHostMetadataProvider>()));

    public IReadOnlyList<Type> GetTypes() => [type.Value];

    static Type Emit(IReadOnlyList<HostedFunction> functions, IJobHostMetadataProvider metadata)
    {
        var assembly = AssemblyBuilder.DefineDynamicAssembly(new("Host.Functions"), AssemblyBuilderAccess.Run);
        var type = assembly.DefineDynamicModule("Host.Functions")
            .DefineType("Host.Functions", TypeAttributes.Public, typeof(TriggeredFunctions));
        type.DefineDefaultConstructor(MethodAttributes.Public);
        foreach (var function in functions.Where(function => !function.IsHttp))
            EmitMethod(type, function, metadata);
        return type.CreateType();
    }

    /// <summary><c>Task Name([Trigger] T trigger, Binder b, ExecutionContext c, CancellationToken t) => InvokeAsync("Name",
    /// trigger, b, c, t);</c></summary>
    static void EmitMethod(TypeBuilder type, HostedFunction function, IJobHostMetadataProvider metadata)
    {
        var (triggerType, attribute) = Bind(function.Trigger, metadata);
        var method = type.DefineMethod(function.Name, MethodAttributes.Public, typeof(Task),
            [triggerType, typeof(Binder), typeof(ExecutionContext), typeof(CancellationToken)]);
        method.SetCustomAttribute(new(typeof(FunctionNameAttribute).GetConstructor([typeof(string)])!, [function.Name]));
        for (var i = 0; i < parameterNames.Length; i++)
        {
            var parameter =
                method.DefineParameter(i + 1, ParameterAttributes.None, i == 0 ? function.TriggerName : parameterNames[i]);
            if (i == 0)
                parameter.SetCustomAttribute(Builder(attribute));
        }
        var il = method.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldstr, function.Name);
        il.Emit(OpCodes.Ldarg_1);
        if (triggerType.IsValueType)
            il.Emit(OpCodes.Box, triggerType);
        il.Emit(OpCodes.Ldarg_2);
        il.Emit(OpCodes.Ldarg_3);
        il.Emit(OpCodes.Ldarg_S, (byte)4);
        il.Emit(OpCodes.Call, typeof(TriggeredFunctions).GetMethod(nameof(TriggeredFunctions.InvokeAsync))!);
        il.Emit(OpCodes.Ret);
    }

    /// <summary>The attribute that a binding's JSON stands for, and the type that the worker wants its value as.</summary>
    static (Type Type, Attribute Attribute) Bind(JObject binding, IJobHostMetadataProvider metadata)
    {
        var type = metadata.GetAttributeTypeFromName((string)binding["type"]!)
            ?? throw new LocalCloudException($"No extension of this host knows the binding {binding["type"]}.");
        // The JSON calls schedule what the attribute's constructor calls scheduleExpression.
        if (binding["schedule"] is { } schedule)
            binding["scheduleExpression"] = schedule;
        var attribute = metadata.GetAttribute(type, binding);
        if (attribute is TimerTriggerAttribute)
            return (typeof(TimerInfo), attribute);
        var deferred = (bool?)binding["properties"]?["supportsDeferredBinding"] is true;
        var wanted = deferred ? typeof(ParameterBindingData) : ((string?)binding["dataType"])?.ToLowerInvariant() switch
        {
            "string" => typeof(string),
            "binary" => typeof(byte[]),
            "stream" => typeof(Stream),
            _ => typeof(object),
        };
        return (metadata.GetDefaultType(attribute, FileAccess.Read, wanted), attribute);
    }

    /// <summary>An attribute as metadata: the constructor with the most parameters that its properties fill, and the rest as
    /// named properties.</summary>
    static CustomAttributeBuilder Builder(Attribute attribute)
    {
        var type = attribute.GetType();
        var values = type.GetProperties()
            .Select(property => (Property: property, Value: property.GetValue(attribute)))
            .Where(pair => pair.Value is not null)
            .ToDictionary(pair => pair.Property.Name, StringComparer.OrdinalIgnoreCase);
        var constructor = type.GetConstructors()
            .Where(candidate => candidate.GetParameters().All(parameter => values.ContainsKey(parameter.Name!)))
            .MaxBy(candidate => candidate.GetParameters().Length)
            ?? throw new LocalCloudException($"{type} has no constructor that its properties fill.");
        var named = values.Values
            .Where(pair => pair.Property.SetMethod is { IsPublic: true }
                && Nullable.GetUnderlyingType(pair.Property.PropertyType) is null)
            .ToList();
        return new(
            constructor,
            [.. constructor.GetParameters().Select(parameter => values[parameter.Name!].Value)],
            [.. named.Select(pair => pair.Property)],
            [.. named.Select(pair => pair.Value)]);
    }
}
