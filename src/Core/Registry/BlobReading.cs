using VaeFunctions.Imaging;

namespace VaeFunctions.Registry;

public static class BlobReading
{
    extension(IBlobStore store)
    {
        /// <summary>Reads a blob and understands it; null where there is none. One bad read is no damage: what is not understood
        /// is read once more before that is the verdict.</summary>
        /// <param name="understand">Throws a <see cref="RegistryException"/>, <see cref="CheckpointException"/> or
        /// <see cref="ImageFormatException"/> where it cannot.</param>
        public async Task<T?> TryReadAsync<T>(
            string path, long maxBytes, Func<Blob, T> understand, CancellationToken cancellation = default) where T : class
        {
            for (var again = true; ; again = false)
            {
                if (await store.TryReadAsync(path, maxBytes, cancellation) is not { } blob) return null;
                try
                {
                    return understand(blob);
                }
                catch (Exception e) when (again && e is RegistryException or CheckpointException or ImageFormatException)
                {
                }
            }
        }
    }
}
