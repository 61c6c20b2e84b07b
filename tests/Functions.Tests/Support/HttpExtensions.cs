using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using VaeFunctions.Imaging;

namespace VaeFunctions.Tests;

/// <summary>Short forms of what these tests send and expect.</summary>
static class HttpExtensions
{
    public static HttpContent Body(this byte[] bytes, string type) =>
        new ByteArrayContent(bytes) { Headers = { ContentType = MediaTypeHeaderValue.Parse(type) } };

    public static HttpContent Json(this string json) => new StringContent(json, Encoding.UTF8, "application/json");

    public static MultipartFormDataContent Form(params byte[][] images)
    {
        var form = new MultipartFormDataContent();
        foreach (var (i, image) in images.Index())
            form.Add(image.Body("image/png"), "images", $"{i}.png");
        return form;
    }

    public static Task<HttpResponseMessage> SendAsync(
        this HttpClient http, HttpMethod method, string path, HttpContent? body = null, string? accept = null)
    {
        var request = new HttpRequestMessage(method, path) { Content = body };
        if (accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", accept);
        return http.SendAsync(request);
    }

    public static string Header(this HttpResponseMessage response, string name) =>
        Assert.Single(response.Headers.GetValues(name));

    public static async Task<byte[]> BytesAsync(this Task<HttpResponseMessage> answer, string type)
    {
        using var response = await answer;
        var bytes = await response.Content.ReadAsByteArrayAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{response.StatusCode}: {Encoding.UTF8.GetString(bytes)}");
        Assert.Equal(type, response.Content.Headers.ContentType?.ToString());
        return bytes;
    }

    public static async Task<Image> PngAsync(this Task<HttpResponseMessage> answer) =>
        ImageCodec.Decode(await answer.BytesAsync("image/png"));

    public static async Task<JsonNode> JsonAsync(this Task<HttpResponseMessage> answer) =>
        JsonNode.Parse(await answer.BytesAsync("application/json"))!;

    /// <summary>The problem details of an answer that must be an error of this status.</summary>
    public static async Task<string> ProblemAsync(this Task<HttpResponseMessage> answer, int status)
    {
        using var response = await answer;
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(status == (int)response.StatusCode, $"{(int)response.StatusCode} instead of {status}: {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = JsonNode.Parse(text)!;
        Assert.Equal(status, (int)problem["status"]!);
        Assert.NotEmpty((string)problem["title"]!);
        return (string)problem["detail"]!;
    }
}
