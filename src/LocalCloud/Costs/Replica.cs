namespace VaeFunctions.LocalCloud.Costs;

/// <summary>What a replica of the functions has and is billed for, as infra/app/functions.bicep deploys it.</summary>
/// <param name="Gpu">none, or the name that <c>infra/deploy --gpu</c> takes.</param>
sealed record Replica(string Gpu, int VCpus, int GiB, Price? GpuSecond)
{
    public static IReadOnlyList<Replica> All { get; } =
        [new("none", 2, 4, null), new("T4", 8, 56, Prices.T4Second), new("A100", 24, 220, Prices.A100Second)];

    public string Name => $"{VCpus} vCPU, {GiB} GiB{(GpuSecond is null ? "" : $" and a GPU, {Gpu}")}";

    public decimal Of(double seconds) => Prices.VCpuSecond.Of((decimal)(seconds * VCpus))
        + Prices.GiBSecond.Of((decimal)(seconds * GiB)) + (GpuSecond?.Of((decimal)seconds) ?? 0);
}
