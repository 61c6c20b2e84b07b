namespace VaeFunctions.Tensors;

/// <summary>A value of some back end: numbers for the ones that compute, a node for the one that writes graphs down.</summary>
/// <remarks>A tensor carries its back end, so models are written once and are generic over nothing. Tensors are immutable,
/// parameters and statistics excepted, which <see cref="ITrainingBackend.Assign"/> overwrites.</remarks>
public abstract class Tensor(IBackend backend, Shape shape)
{
    public IBackend Backend { get; } = backend;

    public Shape Shape { get; } = shape;

    public static Tensor operator +(Tensor left, Tensor right) => left.Backend.Add(left, right);

    public static Tensor operator -(Tensor left, Tensor right) => left.Backend.Subtract(left, right);

    public static Tensor operator *(Tensor left, Tensor right) => left.Backend.Multiply(left, right);

    public static Tensor operator /(Tensor left, Tensor right) => left.Backend.Divide(left, right);

    public static Tensor operator -(Tensor tensor) => tensor.Backend.Negate(tensor);

    public static Tensor operator +(Tensor left, float right) => left + left.Backend.Scalar(right);

    public static Tensor operator -(Tensor left, float right) => left - left.Backend.Scalar(right);

    public static Tensor operator *(Tensor left, float right) => left * left.Backend.Scalar(right);

    public static Tensor operator *(float left, Tensor right) => right * left;

    public static Tensor operator /(Tensor left, float right) => left / left.Backend.Scalar(right);

    public override string ToString() => $"{Backend.GetType().Name} tensor {Shape}";
}
