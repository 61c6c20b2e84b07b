using VaeFunctions.Cpu;
using VaeFunctions.Reference;

namespace VaeFunctions.Tests.Conformance;

/// <summary>The back ends under test. A new one is one line here.</summary>
public static class Subjects
{
    /// <summary>The definition that all others are compared with.</summary>
    public static Subject Reference { get; } = new ComputingSubject("Reference", () => new ReferenceBackend());

    static readonly Subject[] forward =
    [
        new ComputingSubject("Cpu", () => new CpuBackend(threads: 3)),
        new OnnxSubject(),
    ];

    static readonly Subject[] training =
    [
        new ComputingSubject("Cpu", () => new CpuBackend(threads: 3)),
    ];

    /// <summary>Those that run a model forwards: every operation of <see cref="VaeFunctions.Tensors.IBackend"/>.</summary>
    public static TheoryData<Subject> Forward => [.. forward];

    /// <summary>Those that also train: the rest of <see cref="VaeFunctions.Tensors.ITrainingBackend"/>.</summary>
    public static TheoryData<Subject> Training => [.. training];

    /// <summary>Each back end with each of these cases.</summary>
    public static TheoryData<Subject, T> ForwardTimes<T>(IEnumerable<T> cases) => Times(forward, cases);

    /// <inheritdoc cref="ForwardTimes"/>
    public static TheoryData<Subject, T> TrainingTimes<T>(IEnumerable<T> cases) => Times(training, cases);

    static TheoryData<Subject, T> Times<T>(Subject[] subjects, IEnumerable<T> cases)
    {
        var data = new TheoryData<Subject, T>();
        foreach (var subject in subjects)
            foreach (var item in cases)
                data.Add(subject, item);
        return data;
    }
}
