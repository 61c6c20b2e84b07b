using System.CommandLine;
using System.Globalization;
using VaeFunctions.Autograd;
using VaeFunctions.Cpu;
using VaeFunctions.Reference;
using VaeFunctions.Tensors;

namespace VaeFunctions.Bench;

/// <summary><c>bench ops</c>: every kernel at the sizes of the CIFAR-10 model, beside the reference and, for products,
/// OpenBLAS.</summary>
static class OpsBench
{
    const int Batch = 128;

    static readonly Window Half = new(Kernel: 4, Stride: 2, Padding: 1);

    /// <param name="Work">Floating-point operations, or elements read and written, of one image.</param>
    /// <param name="Prepare">Makes the operands for so many images; the action runs the kernel.</param>
    /// <param name="Product">The sizes m, n, k per image of the matrix product it amounts to, for OpenBLAS.</param>
    sealed record Op(string Name, string Unit, double Work, Func<ITapedBackend, int, Action> Prepare, Func<int,
        (int M, int N, int K)>? Product = null);

    static readonly Op[] Ops =
    [
        Dense("x · Wᵀ, 2048 → 1024", 2048, 1024),
        Dense("x · Wᵀ, 1024 → 2048", 1024, 2048),
        Convolution(3, 32, 32), Convolution(32, 64, 16), Convolution(64, 128, 8),
        Transposed(128, 64, 4), Transposed(64, 32, 8), Transposed(32, 3, 16),
        WeightGradient(3, 32, 32), WeightGradient(32, 64, 16), WeightGradient(64, 128, 8),
        Element("Add", 3, 8192, (b, x) => b.Add(x, x)),
        Element("Relu", 2, 8192, (b, x) => b.Relu(x)),
        Element("ReluGradient", 3, 8192, (b, x) => b.ReluGradient(x, x, 0)),
        Element("Exp", 2, 8192, (b, x) => b.Exp(x)),
        Element("Tanh", 2, 8192, (b, x) => b.Tanh(x)),
        Element("Softplus", 2, 8192, (b, x) => b.Softplus(x)),
        Element("SquaredErrorSum", 2, 8192, (b, x) => b.SquaredErrorSum(x, x)),
        Element("BinaryCrossEntropySum", 2, 8192, (b, x) => b.BinaryCrossEntropySum(x, x)),
        Normalization(), NormalizationGradient(), Adam(),
    ];

    public static Command Create()
    {
        Option<string?> only = new("--only") { Description = "Only the kernels whose name contains this" };
        var command = new Command("ops", "Every kernel, beside the reference and OpenBLAS") { only };
        command.SetAction(parsed => Run(parsed.GetValue(only)));
        return command;
    }

    static int Run(string? only)
    {
        var threads = Environment.ProcessorCount;
        Console.WriteLine($"{Machine.Description}\n\nBatch {Batch}; the middle of three rounds in turn. The reference runs "
            + "one thread in double precision.\n");
        Console.WriteLine(
            $"| kernel | unit | 1 thread | {threads} threads | of OpenBLAS, {threads} threads | times the reference |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- |");
        if (only is null || "SGEMM".Contains(only, StringComparison.OrdinalIgnoreCase))
        {
            var (one, many) = (Machine.Sgemm(1), Machine.Sgemm(threads));
            Console.WriteLine(Row("SGEMM 2048³", "GFLOP/s", one.Ours, many.Ours, many.OpenBlas, null));
        }
        foreach (var op in Ops)
        {
            if (only is null || op.Name.Contains(only, StringComparison.OrdinalIgnoreCase))
                Console.WriteLine(Measure(op, threads));
        }
        return 0;
    }

    static string Measure(Op op, int threads)
    {
        Action single = op.Prepare(new CpuBackend(1), Batch), many = op.Prepare(
            new CpuBackend(threads), Batch), reference = op.Prepare(new ReferenceBackend(), 1);
        var blas = OpenBlas.IsInstalled && op.Product is { } product ? Product(product(Batch)) : null;
        List<double> ones = [], manys = [], theirs = [];
        if (OpenBlas.IsInstalled) OpenBlas.Threads = threads;
        for (var round = -1; round < 3; round++)
        {
            var (a, b, c) = (Machine.Rate(op.Work * Batch, single), Machine.Rate(op.Work * Batch, many),
                blas is null ? 0 : Machine.Rate(op.Work * Batch, blas));
            if (round < 0) continue;
            ones.Add(a);
            manys.Add(b);
            theirs.Add(c);
        }
        return Row(op.Name, op.Unit, Machine.Median(ones), Machine.Median(manys), blas is null ? null : Machine.Median(theirs),
            Machine.Rate(op.Work, reference));
    }

    static string Row(string name, string unit, double one, double many, double? openBlas, double? reference)
    {
        var toOpenBlas = openBlas is { } other ? (many / other).ToString("P0", CultureInfo.InvariantCulture) : "–";
        var toReference = reference is { } slow ? (many / slow).ToString("F0", CultureInfo.InvariantCulture) : "–";
        return string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {unit} | {one:F1} | {many:F1} | {toOpenBlas} | {toReference} |");
    }

    static Action Product((int M, int N, int K) size)
    {
        float[] left = Machine.Values(size.M * size.K), right = Machine.Values(size.K * size.N);
        var result = new float[size.M * size.N];
        return () => OpenBlas.Multiply(left, right, result, size.M, size.N, size.K, transposeRight: false);
    }

    static Action In(ITapedBackend backend, Action action) => () =>
    {
        using var scope = backend.BeginScope();
        action();
    };

    static Tensor Random(ITapedBackend backend, params ReadOnlySpan<int> axes)
    {
        Shape shape = new(axes);
        return backend.FromValues(Machine.Values(shape.Count), shape);
    }

    static Op Dense(string name, int inputs, int outputs) => new(name, "GFLOP/s", 2.0 * inputs * outputs, (backend, n) =>
    {
        Tensor x = Random(backend, n, inputs), weight = Random(backend, outputs, inputs);
        return In(backend, () => backend.MatMul(x, weight, transposeRight: true));
    }, n => (n, outputs, inputs));

    static Op Convolution(int from, int to, int extent) => new($"Conv {from} → {to}, {extent}²", "GFLOP/s",
        Flop(from, to, extent / 2), (backend, n) =>
    {
        Tensor x = Random(backend, n, from, extent, extent), weight = Random(backend, to, from, 4, 4);
        return In(backend, () => backend.Conv(x, weight, Half));
    }, n => (to, n * extent * extent / 4, from * 16));

    static Op Transposed(int from, int to, int extent) => new($"ConvTranspose {from} → {to}, {extent}²", "GFLOP/s",
        Flop(from, to, extent), (backend, n) =>
    {
        Tensor x = Random(backend, n, from, extent, extent), weight = Random(backend, from, to, 4, 4);
        return In(backend, () => backend.ConvTranspose(x, weight, Half));
    }, n => (to * 16, n * extent * extent, from));

    static Op WeightGradient(int from, int to, int extent) => new($"ConvWeightGradient {from} → {to}, {extent}²", "GFLOP/s",
        Flop(from, to, extent / 2), (backend, n) =>
    {
        Tensor x = Random(backend, n, from, extent, extent), gradient = Random(backend, n, to, extent / 2, extent / 2);
        return In(backend, () => backend.ConvWeightGradient(x, gradient, Half));
    }, n => (to, from * 16, n * extent * extent / 4));

    static double Flop(int from, int to, int places) => 2.0 * from * to * 16 * places * places;

    static Op Element(string name, int streams, int count, Func<ITapedBackend, Tensor,
        Tensor> run) => new(name, "GB/s", 4.0 * streams * count, (backend, n) =>
    {
        var x = Random(backend, n, count);
        return In(backend, () => run(backend, x));
    });

    static Op Normalization() => new("BatchNormalizationTraining 32 × 16²", "GB/s", 4.0 * 2 * 8192, (backend, n) =>
    {
        Tensor x = Random(backend, n, 32, 16, 16), weight = Random(backend, 32);
        return In(backend, () => backend.BatchNormalizationTraining(x, weight, weight, 1e-5f));
    });

    static Op NormalizationGradient() => new("BatchNormalizationGradient 32 × 16²", "GB/s", 4.0 * 3 * 8192, (backend, n) =>
    {
        Tensor x = Random(backend, n, 32, 16, 16), weight = Random(backend, 32), variance = backend.Exp(weight);
        return In(backend, () => backend.BatchNormalizationGradient(x, weight, variance, weight, x, 1e-5f));
    });

    static Op Adam() => new("AdamStep", "GB/s", 4.0 * 7 * 8192, (backend, n) =>
    {
        Tensor p = Random(backend, n, 8192), g = Random(backend, n, 8192);
        Tensor mean = Random(backend, n, 8192), square = backend.Exp(p);
        return In(backend, () => backend.AdamStep(p, g, mean, square, new(), 10));
    });
}
