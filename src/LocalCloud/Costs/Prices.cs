namespace VaeFunctions.LocalCloud.Costs;

/// <summary>A price of Azure's list.</summary>
/// <param name="Amount">In <see cref="Prices.Currency"/>, for so many <paramref name="Units"/>.</param>
/// <param name="Meter">What the Retail Prices API calls it.</param>
/// <param name="Found">The day it was looked up.</param>
/// <param name="Source">Where it is published.</param>
sealed record Price(decimal Amount, int Units, string Meter, DateOnly Found, string Source)
{
    public decimal Of(decimal quantity) => Amount * quantity / Units;
}

/// <summary>All prices that the calculator knows: pay-as-you-go list prices of one region, without free grants, discounts and
/// taxes. They change; each says when it was looked up and where it stands. https://prices.azure.com/api/retail/prices has
/// today's.</summary>
static class Prices
{
    public const string Region = "East US", Currency = "USD";

    const string Blobs = "https://azure.microsoft.com/pricing/details/storage/blobs/",
        Queues = "https://azure.microsoft.com/pricing/details/storage/queues/",
        Containers = "https://azure.microsoft.com/pricing/details/container-apps/",
        Events = "https://azure.microsoft.com/pricing/details/event-grid/";

    static readonly DateOnly spring = new(2026, 4, 30), summer = new(2026, 8, 1);

    /// <summary>General purpose v2, hot, locally redundant; deleting is free.</summary>
    public static readonly Price
        Write = new(0.05m, 10_000, "Hot LRS Write Operations", spring, Blobs),
        List = new(0.05m, 10_000, "LRS List and Create Container Operations", spring, Blobs),
        Read = new(0.004m, 10_000, "Hot Read Operations", spring, Blobs),
        Other = new(0.004m, 10_000, "All Other Operations", spring, Blobs);

    /// <summary>Classes 1 and 2 cost the same.</summary>
    public static readonly Price Message = new(0.004m, 10_000, "LRS Class 1 Operations", spring, Queues);

    /// <summary>An event is two operations: it is taken in, and it is delivered.</summary>
    public static readonly Price Event = new(0.60m, 1_000_000, "Standard Event Operations", summer, Events);

    /// <summary>Container Apps, consumption, while a replica works. A GPU's second comes on top of those of its
    /// profile.</summary>
    public static readonly Price
        VCpuSecond = new(0.000024m, 1, "Standard vCPU Active Usage", summer, Containers),
        GiBSecond = new(0.000003m, 1, "Standard Memory Active Usage", summer, Containers),
        T4Second = new(0.000073m, 1, "Standard NC T4 v3 GPU Usage", summer, Containers),
        A100Second = new(0.000529m, 1, "Standard NC A100 v4 GPU Usage", summer, Containers);

    public static IReadOnlyList<Price> All { get; } =
        [Write, List, Read, Other, Message, Event, VCpuSecond, GiBSecond, T4Second, A100Second];
}
