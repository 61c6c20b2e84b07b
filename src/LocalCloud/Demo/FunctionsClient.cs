using System.Net.Http.Headers;
using System.Net.Http.Json;

namespace VaeFunctions.LocalCloud;

/// <summary>The HTTP functions of one model, as any client calls them.</summary>
sealed class FunctionsClient(int port, string model) : IDisposable
{
    readonly HttpClient http =
        new() { BaseAddress = new Uri($"http://127.0.0.1:{port}/api/models/{model}/"), Timeout = TimeSpan.FromMinutes(1) };

    /// <summary>A PNG grid of new images.</summary>
    public async Task<byte[]> SampleAsync(int count, int seed, double temperature, CancellationToken cancellation)
    {
        using var body = JsonContent.Create(new { count, seed, temperature });
        return await PostAsync("sample", body, cancellation);
    }

    /// <summary>A PNG of what the model makes of an image.</summary>
    public async Task<byte[]> ReconstructAsync(byte[] png, CancellationToken cancellation)
    {
        using var body = new ByteArrayContent(png) { Headers = { ContentType = new MediaTypeHeaderValue("image/png") } };
        return await PostAsync("reconstruct", body, cancellation);
    }

    async Task<byte[]> PostAsync(string function, HttpContent body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, function) { Content = body };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("image/png"));
        using var answer = await http.SendAsync(request, cancellation);
        if (!answer.IsSuccessStatusCode)
            throw new LocalCloudException(
                $"{function} answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(cancellation)}");
        return await answer.Content.ReadAsByteArrayAsync(cancellation);
    }

    public void Dispose() => http.Dispose();
}
