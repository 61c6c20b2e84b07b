using VaeFunctions.Tensors;

namespace VaeFunctions.Registry;

/// <summary>Parameters to and from safetensors, under their own names: PyTorch's state_dict has the same ones for the same
/// model.</summary>
public static class ParameterFile
{
    public static IEnumerable<NamedTensor> ToTensors(IEnumerable<Parameter> parameters) => parameters.Select(parameter =>
        parameter.Kind == ParameterKind.Counter
            ? new NamedTensor(parameter.Name, parameter.Shape, Array.ConvertAll(parameter.Value.ToArray(), value => (long)value))
            : new NamedTensor(parameter.Name, parameter.Shape, parameter.Value.ToArray()));

    /// <summary>Overwrites every parameter with the file's tensor of its name. Nothing changes unless all fit.</summary>
    /// <exception cref="CheckpointException">A tensor is missing, left over, misshapen or of a type that does not
    /// fit.</exception>
    public static void Load(SafetensorsFile file, IReadOnlyCollection<Parameter> parameters, ITrainingBackend backend)
    {
        var expected = parameters.Select(parameter => parameter.Name).ToHashSet();
        var missing = parameters.Where(parameter => !file.TryGet(parameter.Name, out _)).Select(parameter => parameter.Name)
            .ToArray();
        var extra = file.Tensors.Where(tensor => !expected.Contains(tensor.Name)).Select(tensor => tensor.Name).ToArray();
        if (missing.Length + extra.Length > 0)
            throw new CheckpointException($"The file is of another model: {Listed("missing", missing)}; "
                + $"{Listed("not expected", extra)}. Load it with the recipe it was trained with.");

        var values = parameters.Select(parameter => (parameter, Read(file[parameter.Name], parameter))).ToArray();
        using var scope = backend.BeginScope();
        foreach (var (parameter, read) in values) backend.Assign(parameter.Value, backend.FromValues(read, parameter.Shape));
    }

    static float[] Read(NamedTensor tensor, Parameter parameter)
    {
        if (!tensor.Shape.Equals(parameter.Shape))
            throw new CheckpointException($"Tensor \"{tensor.Name}\" is {tensor.Shape} in the file but {parameter.Shape} in "
                + "the model; they must be equal.");
        return parameter.Kind == ParameterKind.Counter
            ? Array.ConvertAll(tensor.ToInt64s(), value => (float)value)
            : tensor.ToFloats();
    }

    static string Listed(string what, string[] names) => names.Length switch
    {
        0 => $"nothing is {what}",
        <= 5 => $"{what}: {string.Join(", ", names)}",
        _ => $"{what}: {string.Join(", ", names.Take(5))} and {names.Length - 5} more",
    };
}
