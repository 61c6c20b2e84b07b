using Microsoft.ML.OnnxRuntime;

namespace VaeFunctions.Serving;

/// <summary>Opens graphs on a GPU where ONNX Runtime comes with CUDA and gets at one, else on the CPU.</summary>
static class RuntimeDevice
{
    /// <summary>Why there is no GPU, once that is known: asking for one again costs time and gives the same answer.</summary>
    static volatile string? obstacle;

    /// <summary>A session, and where it runs, for people.</summary>
    /// <param name="settings">Makes the session's settings anew.</param>
    /// <exception cref="OnnxRuntimeException">It is no graph.</exception>
    public static (InferenceSession Session, string Device) Open(byte[] graph, Func<SessionOptions> settings)
    {
        var found = obstacle;
        if (found is null)
        {
            try
            {
                using var gpu = settings();
                gpu.AppendExecutionProvider_CUDA();
                return (new(graph, gpu), "GPU 0");
            }
            catch (Exception fault) when (fault is OnnxRuntimeException or EntryPointNotFoundException)
            {
                found = fault.Message.Split('\n')[0];
            }
        }
        using var cpu = settings();
        var session = new InferenceSession(graph, cpu);
        obstacle = found; // the graph is sound, so it was the GPU
        return (session, $"the CPU ({found})");
    }
}
