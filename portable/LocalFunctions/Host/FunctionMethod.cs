using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;

namespace VaeFunctions.LocalFunctions;

/// <summary>A method with a [Function] attribute and the one trigger among its parameters.</summary>
sealed class FunctionMethod(string name, MethodInfo method, ParameterInfo parameter, TriggerBindingAttribute trigger) : FunctionDefinition
{
    public override string Name => name;

    public override string Id => name;

    public override string EntryPoint => $"{method.DeclaringType!.FullName}.{method.Name}";

    public MethodInfo Method => method;

    /// <summary>The result of the task that the method returns; null where it returns none that has one.</summary>
    public PropertyInfo? Result { get; } = typeof(Task).IsAssignableFrom(method.ReturnType) ? method.ReturnType.GetProperty(nameof(Task<>.Result)) : null;

    public ParameterInfo TriggerParameter => parameter;

    public TriggerBindingAttribute Trigger => trigger;

    /// <summary>All functions of an assembly, by name.</summary>
    /// <exception cref="HostSetupException">Two share a name, or one has no trigger or several.</exception>
    public static IReadOnlyList<FunctionMethod> FindAll(Assembly assembly)
    {
        const BindingFlags Any = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static;
        var found = assembly.GetTypes().SelectMany(type => type.GetMethods(Any))
            .Select(method => (Method: method, method.GetCustomAttribute<FunctionAttribute>()?.Name))
            .Where(candidate => candidate.Name is not null)
            .Select(candidate => Create(candidate.Name!, candidate.Method))
            .OrderBy(function => function.Name, StringComparer.OrdinalIgnoreCase)
            .ToList();
        foreach (var twins in found.GroupBy(function => function.Name, StringComparer.OrdinalIgnoreCase).Where(group => group.Count() > 1))
            throw new HostSetupException($"Function {twins.Key} exists {twins.Count()} times: {string.Join(", ", twins.Select(twin => twin.EntryPoint))}; names must differ.");
        return found;
    }

    /// <summary>A pattern or schedule with its <c>%SETTING%</c> parts replaced.</summary>
    /// <exception cref="HostSetupException">A setting is not there.</exception>
    public string Expand(string text, IConfiguration settings)
    {
        var parts = text.Split('%');
        for (var i = 1; i < parts.Length - 1; i += 2)
        {
            parts[i] = settings[parts[i]]
                ?? throw new HostSetupException($"Function {Name}: \"{text}\" asks for the setting {parts[i]}, which is not there.");
        }
        return string.Concat(parts);
    }

    static FunctionMethod Create(string name, MethodInfo method)
    {
        var triggers = method.GetParameters()
            .Select(parameter => (Parameter: parameter, Trigger: parameter.GetCustomAttribute<TriggerBindingAttribute>()))
            .Where(pair => pair.Trigger is not null)
            .ToList();
        return triggers is [var (parameter, trigger)]
            ? new FunctionMethod(name, method, parameter, trigger!)
            : throw new HostSetupException($"Function {name} has {triggers.Count} triggers; it needs exactly one parameter with a trigger attribute.");
    }
}
