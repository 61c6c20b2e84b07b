using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Specialized;

namespace VaeFunctions.LocalFunctions;

/// <summary>Gives a function its blob as the type that it asks for.</summary>
static class BlobParameter
{
    public const string Kinds = "it can be BlobClient, BlobBaseClient, Stream, byte[], string or BinaryData";

    public static bool CanBind(Type type) =>
        type == typeof(BlobClient) || type == typeof(BlobBaseClient) || type == typeof(Stream) ||
        type == typeof(byte[]) || type == typeof(string) || type == typeof(BinaryData);

    public static async Task<object> BindAsync(BlobClient blob, Type type, CancellationToken cancellation)
    {
        if (type.IsInstanceOfType(blob))
            return blob;
        if (type == typeof(Stream))
            return await blob.OpenReadAsync(cancellationToken: cancellation);
        BinaryData content = (await blob.DownloadContentAsync(cancellation)).Value.Content;
        return type == typeof(byte[]) ? content.ToArray() : type == typeof(string) ? content.ToString() : content;
    }
}
