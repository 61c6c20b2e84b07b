using VaeFunctions.Tensors;

namespace VaeFunctions.Models;

/// <summary>How a label joins what a layer takes.</summary>
static class Conditions
{
    extension(Tensor x)
    {
        /// <summary>[N, F] and [N, K] → [N, F + K]; x itself where there is no condition.</summary>
        public Tensor Join(Tensor? condition) => condition is null ? x : x.Backend.Concat(1, x, condition);

        /// <summary>[N, C, H, W] and [N, K] → [N, C + K, H, W]: a plane for each label, 1 all over for the image's.</summary>
        public Tensor JoinPlanes(Tensor? condition)
        {
            if (condition is null) return x;
            int height = x.Shape[2], width = x.Shape[3];
            var planes = condition.Reshape(0, -1, 1, 1)
                + x.Backend.FromValues(new float[height * width], new(1, 1, height, width));
            return x.Backend.Concat(1, x, planes);
        }
    }
}
