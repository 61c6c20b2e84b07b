using VaeFunctions.Autograd;
using VaeFunctions.Cpu;
using VaeFunctions.Reference;
using VaeFunctions.Torch;

namespace VaeFunctions.Tests.Conformance;

/// <summary>The back ends under test. A new one is one line here.</summary>
public static class Subjects
{
    /// <summary>The definition that all others are compared with.</summary>
    public static Subject Reference { get; } = new ComputingSubject("Reference", () => new ReferenceBackend());

    static readonly ComputingSubject[] known =
    [
        new("Cpu", () => new CpuBackend(threads: 3)),
        new("Torch", () => TorchDevice.OpenCpu(threads: 1)),
    ];

    static readonly ComputingSubject[] training = [.. known.Where(subject => subject.Absent is null)];

    static readonly ComputingSubject[] taped = [.. training.Where(subject => subject.Create() is ITapedBackend)];

    static readonly Subject[] forward = [.. training, new OnnxSubject()];

    /// <summary>Also those that are absent here, of which one test says so, and all others know nothing.</summary>
    public static TheoryData<ComputingSubject> Known => [.. known];

    /// <summary>Those that run a model forwards: every operation of <see cref="VaeFunctions.Tensors.IBackend"/>.</summary>
    public static TheoryData<Subject> Forward => [.. forward];

    /// <summary>Those that also train: the rest of <see cref="VaeFunctions.Tensors.ITrainingBackend"/>.</summary>
    public static TheoryData<ComputingSubject> Training => [.. training];

    /// <summary>Those that also have what <see cref="GradientTape"/> asks of the back end below it.</summary>
    public static TheoryData<ComputingSubject> Taped => [.. taped];

    /// <summary>Each back end with each of these cases.</summary>
    public static TheoryData<Subject, T> ForwardTimes<T>(IEnumerable<T> cases) => Times(forward, cases);

    /// <inheritdoc cref="ForwardTimes"/>
    public static TheoryData<ComputingSubject, T> TrainingTimes<T>(IEnumerable<T> cases) => Times(training, cases);

    /// <inheritdoc cref="ForwardTimes"/>
    public static TheoryData<ComputingSubject, T> TapedTimes<T>(IEnumerable<T> cases) => Times(taped, cases);

    static TheoryData<TSubject, T> Times<TSubject, T>(TSubject[] subjects, IEnumerable<T> cases)
        where TSubject : Subject
    {
        var data = new TheoryData<TSubject, T>();
        foreach (var subject in subjects)
            foreach (var item in cases)
                data.Add(subject, item);
        return data;
    }
}
