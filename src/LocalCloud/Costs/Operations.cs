namespace VaeFunctions.LocalCloud.Costs;

/// <summary>Operations of blobs and queues by what they cost.</summary>
/// <param name="Messages">Of queues, the taking of a message included; looks at an empty queue are not.</param>
readonly record struct Operations(double Writes = 0, double Lists = 0, double Reads = 0, double Others = 0, double Deletes = 0,
    double Messages = 0)
{
    public double Total => Writes + Lists + Reads + Others + Deletes + Messages;

    public decimal Cost => Prices.Write.Of((decimal)Writes) + Prices.List.Of((decimal)Lists) + Prices.Read.Of((decimal)Reads)
        + Prices.Other.Of((decimal)Others) + Prices.Message.Of((decimal)Messages);

    public static Operations operator +(Operations left, Operations right) =>
        new(left.Writes + right.Writes, left.Lists + right.Lists, left.Reads + right.Reads, left.Others + right.Others,
            left.Deletes + right.Deletes, left.Messages + right.Messages);

    public static Operations operator *(double times, Operations one) =>
        new(times * one.Writes, times * one.Lists, times * one.Reads, times * one.Others, times * one.Deletes,
            times * one.Messages);
}
