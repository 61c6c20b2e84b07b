using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

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

    /// <summary>A PNG strip of an image with a concept at several strengths.</summary>
    public async Task<byte[]> EditAsync(byte[] png, string concept, double[] strengths, CancellationToken cancellation)
    {
        using var body = JsonContent.Create(new
        {
            image = png,
            concepts = new Dictionary<string, double> { [concept] = 1 },
            strengths,
        });
        return await PostAsync("edit", body, cancellation);
    }

    /// <summary>An animated PNG of the way between seeds and back.</summary>
    public async Task<byte[]> TravelAsync(int[] seeds, int steps, CancellationToken cancellation)
    {
        using var body = JsonContent.Create(new { stops = seeds.Append(seeds[0]).Select(seed => new { seed }), steps });
        return await PostAsync("interpolate", body, cancellation, "image/apng");
    }

    /// <summary>How strange an image is, with its heat map over it.</summary>
    public async Task<Judged> JudgeAsync(byte[] png, CancellationToken cancellation)
    {
        using var body = new ByteArrayContent(png) { Headers = { ContentType = new MediaTypeHeaderValue("image/png") } };
        var answer = JsonNode.Parse(await PostAsync("anomaly", body, cancellation, "application/json"))!["images"]![0]!;
        return new((string)answer["verdict"]!, (double?)answer["percentile"],
            Convert.FromBase64String((string)answer["overlay"]!));
    }

    /// <summary>A PNG of each latent.</summary>
    public async Task<List<byte[]>> DecodeAsync(IEnumerable<float[]> latents, CancellationToken cancellation)
    {
        using var body = JsonContent.Create(new { latents });
        var answer = JsonNode.Parse(await PostAsync("decode", body, cancellation, "application/json"))!;
        return [.. answer["images"]!.AsArray().Select(image => Convert.FromBase64String((string)image!["png"]!))];
    }

    async Task<byte[]> PostAsync(
        string function, HttpContent body, CancellationToken cancellation, string accept = "image/png")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, function) { Content = body };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(accept));
        using var answer = await http.SendAsync(request, cancellation);
        if (!answer.IsSuccessStatusCode)
            throw new LocalCloudException(
                $"{function} answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(cancellation)}");
        return await answer.Content.ReadAsByteArrayAsync(cancellation);
    }

    public void Dispose() => http.Dispose();
}

/// <summary>What the functions say of an image's strangeness.</summary>
/// <param name="Percentile">The share of test images that come back better; null where the version has too few.</param>
/// <param name="Overlay">The image in grey with its heat map over it: a PNG.</param>
sealed record Judged(string Verdict, double? Percentile, byte[] Overlay);
