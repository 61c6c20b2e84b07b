using System.Diagnostics.CodeAnalysis;

namespace VaeFunctions.Registry;

/// <summary>The tensors of a safetensors file, in the order of its header, and its metadata.</summary>
public sealed class SafetensorsFile
{
    readonly Dictionary<string, NamedTensor> byName;

    internal SafetensorsFile(IReadOnlyList<NamedTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        (Tensors, Metadata) = (tensors, metadata);
        byName = tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
    }

    public IReadOnlyList<NamedTensor> Tensors { get; }

    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <exception cref="CheckpointException">There is no tensor of this name.</exception>
    public NamedTensor this[string name] => TryGet(name, out var tensor)
        ? tensor
        : throw new CheckpointException($"There is no tensor \"{name}\" among the {Tensors.Count} of the file: {Names()}.");

    public bool TryGet(string name, [NotNullWhen(true)] out NamedTensor? tensor) => byName.TryGetValue(name, out tensor);

    /// <summary>A copy of a floating-point tensor's elements.</summary>
    /// <exception cref="CheckpointException">There is no such tensor, or it holds no floating-point numbers.</exception>
    public float[] GetFloats(string name) => this[name].ToFloats();

    string Names() => string.Join(", ", Tensors.Take(20).Select(tensor => tensor.Name)) + (Tensors.Count > 20 ? ", …" : "");
}
