using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Conformance;

/// <summary>What a test asks of a back end, written once for all of them.</summary>
public delegate Tensor Operation(IBackend backend, IReadOnlyList<Tensor> inputs);

/// <summary>A way to run an operation on a back end: numbers in, numbers out.</summary>
public abstract class Subject(string name)
{
    public string Name => name;

    /// <summary>Runs the operation, or throws as the back end does.</summary>
    public abstract Numbers Run(Operation operation, IReadOnlyList<Numbers> inputs);

    public override string ToString() => name;
}

/// <summary>A back end that computes by itself.</summary>
/// <remarks>The second run counts: its memory comes from the first, so that whatever forgets to clear it shows.</remarks>
public sealed class ComputingSubject(string name, Func<ITrainingBackend> create) : Subject(name)
{
    readonly Lazy<string?> absent = new(() =>
    {
        try
        {
            create();
            return null;
        }
        catch (DeviceException e)
        {
            return e.Message;
        }
    });

    /// <summary>Why it cannot run here; null where it can.</summary>
    public string? Absent => absent.Value;

    public ITrainingBackend Create() => create();

    public override Numbers Run(Operation operation, IReadOnlyList<Numbers> inputs)
    {
        var backend = create();
        Run(backend, operation, inputs);
        return Run(backend, operation, inputs);
    }

    static Numbers Run(IBackend backend, Operation operation, IReadOnlyList<Numbers> inputs)
    {
        using var scope = backend.BeginScope();
        var result = operation(backend, [.. inputs.Select(input => backend.FromValues(input.Values, input.Shape))]);
        return new Numbers(result.ToArray(), result.Shape);
    }
}
