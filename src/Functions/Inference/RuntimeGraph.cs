using System.Numerics;
using Microsoft.ML.OnnxRuntime;

namespace VaeFunctions.Serving;

/// <summary>An input or output that a graph must have; −1 is the batch axis.</summary>
readonly record struct Port(string Name, Type Type, int[] Shape)
{
    public override string ToString() => $"{Name} {Type.Name} [{string.Join(", ", Shape)}]";
}

/// <summary>A graph in ONNX Runtime, run on batches padded to a power of two, because the runtime keeps memory for every batch
/// size that it has seen.</summary>
sealed class RuntimeGraph : IDisposable
{
    static readonly RunOptions Options = new();

    readonly InferenceSession session;
    readonly Port[] inputs, outputs;

    /// <param name="threads">Threads of one inference; 0 takes one for each core.</param>
    /// <exception cref="OnnxRuntimeException">It is no graph.</exception>
    /// <exception cref="ModelUnavailableException">It does not have these inputs and outputs. Further outputs do no
    /// harm.</exception>
    public RuntimeGraph(string file, byte[] graph, int threads, Port[] inputs, Port[] outputs)
    {
        (this.inputs, this.outputs) = (inputs, outputs);
        (session, Device) = RuntimeDevice.Open(graph, () =>
        {
            var options = new SessionOptions
            {
                IntraOpNumThreads = threads,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            };
            // Threads that wait by spinning would take the cores from other requests.
            options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
            return options;
        });
        try
        {
            Check(file, "input", session.InputMetadata, inputs);
            Check(file, "output", session.OutputMetadata, outputs);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Where it runs, and why not on a GPU.</summary>
    public string Device { get; }

    /// <summary>Runs a batch: arrays of bytes, floats or 64-bit integers for the inputs, [N, …] each.</summary>
    /// <returns>Floats or bytes for the outputs, in their order; those beyond N are padding.</returns>
    public IDisposableReadOnlyCollection<OrtValue> Run(int count, params Array[] rows)
    {
        var bucket = (int)BitOperations.RoundUpToPowerOf2((uint)count);
        var values = new OrtValue[inputs.Length];
        try
        {
            for (var i = 0; i < inputs.Length; i++)
            {
                values[i] = rows[i] switch
                {
                    byte[] bytes => Tensor(bytes, inputs[i], bucket),
                    float[] floats => Tensor(floats, inputs[i], bucket),
                    long[] integers => Tensor(integers, inputs[i], bucket),
                    var other => throw new ArgumentException($"An input of {other.GetType().Name} has no tensor."),
                };
            }
            return session.Run(Options, [.. inputs.Select(input => input.Name)], values,
                [.. outputs.Select(output => output.Name)]);
        }
        finally
        {
            foreach (var value in values)
                value?.Dispose();
        }
    }

    public void Dispose() => session.Dispose();

    static OrtValue Tensor<T>(T[] rows, Port port, int bucket) where T : unmanaged
    {
        long[] shape = [bucket, .. port.Shape.Skip(1).Select(extent => (long)extent)];
        Array.Resize(ref rows, (int)shape.Aggregate(1L, (product, extent) => product * extent));
        return OrtValue.CreateTensorValueFromMemory(rows, shape);
    }

    static void Check(string file, string side, IReadOnlyDictionary<string, NodeMetadata> found, Port[] expected)
    {
        var fits = expected.All(port =>
            found.TryGetValue(port.Name, out var node) && node.ElementType == port.Type
            && node.Dimensions.SequenceEqual(port.Shape));
        if (!fits || (side == "input" && found.Count != expected.Length)) // a further input could not be filled
        {
            var there =
                found.Select(node => $"{node.Key} {node.Value.ElementType?.Name} [{string.Join(", ", node.Value.Dimensions)}]");
            throw new ModelUnavailableException(
                $"{file} has the {side}s {string.Join(", ", there)}; its manifest asks for {string.Join(", ", expected)}.");
        }
    }
}
