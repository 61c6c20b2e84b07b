using System.Numerics.Tensors;

namespace VaeFunctions.Cpu.Kernels;

readonly struct AddOperation : IBinaryOperation
{
    public static void Invoke(ReadOnlySpan<float> left, ReadOnlySpan<float> right, Span<float> result) =>
        TensorPrimitives.Add(left, right, result);

    public static void Invoke(ReadOnlySpan<float> left, float right, Span<float> result) =>
        TensorPrimitives.Add(left, right, result);

    public static void Invoke(float left, ReadOnlySpan<float> right, Span<float> result) =>
        TensorPrimitives.Add(right, left, result);
}

readonly struct SubtractOperation : IBinaryOperation
{
    public static void Invoke(ReadOnlySpan<float> left, ReadOnlySpan<float> right, Span<float> result) =>
        TensorPrimitives.Subtract(left, right, result);

    public static void Invoke(ReadOnlySpan<float> left, float right, Span<float> result) =>
        TensorPrimitives.Subtract(left, right, result);

    public static void Invoke(float left, ReadOnlySpan<float> right, Span<float> result) =>
        TensorPrimitives.Subtract(left, right, result);
}

readonly struct MultiplyOperation : IBinaryOperation
{
    public static void Invoke(ReadOnlySpan<float> left, ReadOnlySpan<float> right, Span<float> result) =>
        TensorPrimitives.Multiply(left, right, result);

    public static void Invoke(ReadOnlySpan<float> left, float right, Span<float> result) =>
        TensorPrimitives.Multiply(left, right, result);

    public static void Invoke(float left, ReadOnlySpan<float> right, Span<float> result) =>
        TensorPrimitives.Multiply(right, left, result);
}

readonly struct DivideOperation : IBinaryOperation
{
    public static void Invoke(ReadOnlySpan<float> left, ReadOnlySpan<float> right, Span<float> result) =>
        TensorPrimitives.Divide(left, right, result);

    public static void Invoke(ReadOnlySpan<float> left, float right, Span<float> result) =>
        TensorPrimitives.Divide(left, right, result);

    public static void Invoke(float left, ReadOnlySpan<float> right, Span<float> result) =>
        TensorPrimitives.Divide(left, right, result);
}
