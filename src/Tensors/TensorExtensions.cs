namespace VaeFunctions.Tensors;

/// <summary>The operations of <see cref="IBackend"/>, written behind their first operand.</summary>
public static class TensorExtensions
{
    extension(Tensor x)
    {
        public Tensor Exp() => x.Backend.Exp(x);

        public Tensor Log() => x.Backend.Log(x);

        public Tensor Sqrt() => x.Backend.Sqrt(x);

        public Tensor Tanh() => x.Backend.Tanh(x);

        public Tensor Sigmoid() => x.Backend.Sigmoid(x);

        public Tensor Softplus() => x.Backend.Softplus(x);

        public Tensor Relu() => x.Backend.Relu(x);

        public Tensor Silu() => x.Backend.Silu(x);

        public Tensor LeakyRelu(float slope) => x.Backend.LeakyRelu(x, slope);

        public Tensor Clip(float low, float high) => x.Backend.Clip(x, low, high);

        public Tensor Round() => x.Backend.Round(x);

        public Tensor Reshape(params ReadOnlySpan<int> shape) => x.Backend.Reshape(x, shape);

        /// <summary>[N, …] → [N, everything else].</summary>
        public Tensor Flatten() => x.Backend.Reshape(x, 0, -1);

        public Tensor Transpose(params ReadOnlySpan<int> order) => x.Backend.Transpose(x, order);

        public Tensor Slice(int axis, int start, int length) => x.Backend.Slice(x, axis, start, length);

        public Tensor Sum(params ReadOnlySpan<int> axes) => x.Backend.ReduceSum(x, keepAxes: false, axes);

        /// <summary>The sum over every axis but the first: [N, …] → [N].</summary>
        public Tensor SumPerImage() => x.Backend.SumPerImage(x);

        /// <summary>The mean of all elements, a scalar.</summary>
        public Tensor Mean() => x.Sum() / x.Shape.Count;

        public Tensor ArgMax() => x.Backend.ArgMax(x);

        public Tensor OneHot(int count) => x.Backend.OneHot(x, count);

        public Tensor LogSumExp() => x.Backend.LogSumExp(x);

        public Tensor Repeat(int times) => x.Backend.Repeat(x, times);

        public Tensor StopGradient() => x.Backend.StopGradient(x);

        public Tensor MaxPool(Window window) => x.Backend.MaxPool(x, window);

        public Tensor MatMul(Tensor right) => x.Backend.MatMul(x, right);

        /// <summary>The values, row-major, in single precision.</summary>
        public float[] ToArray()
        {
            var values = new float[x.Shape.Count];
            x.Backend.CopyTo(x, values);
            return values;
        }

        /// <summary>The value of a tensor with one element.</summary>
        /// <exception cref="ShapeException">It has another number of elements.</exception>
        public float ToScalar() => x.Shape.Count == 1
            ? x.ToArray()[0]
            : throw new ShapeException($"ToScalar: the tensor is {x.Shape}; it must have one element.");
    }
}
