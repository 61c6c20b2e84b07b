using Microsoft.ML.OnnxRuntime;

namespace VaeFunctions.Serving;

/// <summary>Opens graphs on a GPU where ONNX Runtime comes with CUDA and gets at one, else on the CPU.</summary>
static class RuntimeDevice
{
    /// <summary>Why there is no CUDA, once that is known: asking for it again costs time and gives the same answer.</summary>
    static volatile string? missing;

    /// <summary>A session, and where it runs, for people.</summary>
    /// <param name="settings">Makes the session's settings anew.</param>
    /// <exception cref="OnnxRuntimeException">It is no graph.</exception>
    public static (InferenceSession Session, string Device) Open(byte[] graph, Func<SessionOptions> settings)
    {
        var obstacle = missing;
        if (obstacle is null)
        {
            using var gpu = settings();
            try
            {
                gpu.AppendExecutionProvider_CUDA();
            }
            catch (Exception fault) when (fault is OnnxRuntimeException or EntryPointNotFoundException)
            {
                missing = obstacle = Reason(fault);
            }
            try
            {
                if (obstacle is null)
                    return (new(graph, gpu), "GPU 0");
            }
            catch (OnnxRuntimeException fault)
            {
                obstacle = Reason(fault); // perhaps of this graph or moment alone, such as a full memory
            }
        }
        using var cpu = settings();
        return (new(graph, cpu), $"the CPU ({obstacle})");

        static string Reason(Exception fault) => fault.Message.Split('\n')[0];
    }
}
