namespace VaeFunctions.Tests;

/// <summary>Repeats an assertion until it holds.</summary>
static class Eventually
{
    public static async Task Async(Func<Task> assertion, double seconds = 20, double pause = 0.05)
    {
        var end = DateTime.UtcNow.AddSeconds(seconds);
        while (true)
        {
            try
            {
                await assertion();
                return;
            }
            catch (Exception) when (DateTime.UtcNow < end)
            {
                await Task.Delay(TimeSpan.FromSeconds(pause));
            }
        }
    }
}
