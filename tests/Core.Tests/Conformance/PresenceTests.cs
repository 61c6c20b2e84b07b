namespace VaeFunctions.Tests.Conformance;

/// <summary>Which back ends all other tests run on.</summary>
public sealed class PresenceTests
{
    [SkippableTheory, MemberData(nameof(Subjects.Known), MemberType = typeof(Subjects))]
    public void A_back_end_is_here_and_meets_every_test(ComputingSubject subject)
    {
        Skip.If(subject.Absent is not null && !Libtorch.IsExpected, $"no test runs on {subject}: {subject.Absent}");
        Assert.Null(subject.Absent);
        Assert.Contains<object?[]>(Subjects.Training, row => subject.Equals(row[0]));
        Assert.Contains<object?[]>(Subjects.Forward, row => subject.Equals(row[0]));
    }
}
