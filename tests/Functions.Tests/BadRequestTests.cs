using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace VaeFunctions.Tests;

/// <summary>Wrong requests get a 4xx that says what to change, never a 5xx.</summary>
[Collection(Serving.Name)]
public sealed class BadRequestTests(ServingFixture serving)
{
    const string Tiny = $"models/{ServingFixture.Model}";

    [Theory]
    [InlineData("lächeln", "HTTP/1.1 400 ", false)]
    [InlineData("l%C3%A4cheln", "HTTP/1.1 404 ", true)]
    public async Task A_raw_umlaut_in_a_path_is_refused_by_the_web_server_itself(string name, string status, bool explained)
    {
        using var connection = new TcpClient();
        await connection.ConnectAsync("127.0.0.1", serving.Http.BaseAddress!.Port);
        await using var stream = connection.GetStream();
        await stream.WriteAsync(Encoding.UTF8.GetBytes(
            $"GET /api/models/{name} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(stream);
        var answer = await reader.ReadToEndAsync();

        Assert.StartsWith(status, answer, StringComparison.Ordinal);
        Assert.Equal(explained, answer.Contains("application/problem+json", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("GET", "models/absent", 404, "There are: ")]
    [InlineData("GET", "models/absent/versions", 404, "There are: ")]
    [InlineData("GET", "models/UPPER%2F..%2F/versions", 404, "no model")]
    [InlineData("GET", "models/absent/sample", 404, "There are: ")]
    [InlineData("GET", "models/..%2f..%2fetc/sample", 404, "no model")]
    [InlineData("POST", "models/absent/reconstruct", 404, "There are: ")]
    [InlineData("GET", "nothing/here", 404, "GET /api/models/{model}")]
    [InlineData("DELETE", Tiny, 405, "only GET")]
    [InlineData("GET", $"{Tiny}/reconstruct", 405, "only POST")]
    [InlineData("GET", $"{Tiny}/sample?count=0", 400, "count is 0; give a whole number from 1 to 256")]
    [InlineData("GET", $"{Tiny}/sample?count=257", 400, "1 to 256")]
    [InlineData("GET", $"{Tiny}/sample?count=99999999999999999999", 400, "1 to 256")]
    [InlineData("GET", $"{Tiny}/sample?count=many", 400, "count is many")]
    [InlineData("GET", $"{Tiny}/sample?count=", 400, "count is")]
    [InlineData("GET", $"{Tiny}/sample?count=1&count=2", 400, "more than once")]
    [InlineData("GET", $"{Tiny}/sample?seed=-1", 400, "seed is -1")]
    [InlineData("GET", $"{Tiny}/sample?temperature=NaN", 400, "temperature is NaN; give a number from 0 to 10")]
    [InlineData("GET", $"{Tiny}/sample?temperature=Infinity", 400, "0 to 10")]
    [InlineData("GET", $"{Tiny}/sample?temperature=-0.5", 400, "0 to 10")]
    [InlineData("GET", $"{Tiny}/sample?cuont=1", 400, "\"cuont\" is not known here; there is count, seed, temperature, label")]
    public async Task A_wrong_path_or_query_is_explained(string method, string path, int status, string hint) =>
        Assert.Contains(hint, await serving.Http.SendAsync(new HttpMethod(method), path)
            .ProblemAsync(status), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"count": 1000}""", "count is 1000")]
    [InlineData("""{"count": 1.5}""", "count is 1.5")]
    [InlineData("""{"count": [1]}""", "count is [1]")]
    [InlineData("""{"count": true}""", "count is true")]
    [InlineData("""{"temperature": 1e999}""", "temperature is")]
    [InlineData("""{"steps": 3}""", "\"steps\" is not known")]
    [InlineData("""{"count": 1, "count": 2}""", "not JSON")]
    [InlineData("""{"count": 1""", "not JSON")]
    [InlineData("""{"count": NaN}""", "not JSON")]
    [InlineData("[1]", "no object")]
    [InlineData("null", "no object")]
    [InlineData("", "not JSON")]
    public async Task A_wrong_sample_body_is_explained(string body, string hint) =>
        Assert.Contains(hint, await serving.Http.SendAsync(HttpMethod.Post, $"{Tiny}/sample", body.Json())
            .ProblemAsync(400), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"images": []}""", "at least one")]
    [InlineData("""{"images": "AAAA"}""", "no array")]
    [InlineData("""{}""", "missing")]
    [InlineData("""{"images": ["not base64!"]}""", "images[0] is not base64")]
    [InlineData("""{"images": [7]}""", "images[0] is not base64")]
    [InlineData("""{"images": ["AAAA"]}""", "PNG, JPEG, WebP")]
    [InlineData("""{"images": [], "model": 1}""", "\"model\" is not known")]
    public async Task A_wrong_reconstruct_body_is_explained(string body, string hint) =>
        Assert.Contains(hint, await serving.Http.SendAsync(HttpMethod.Post, $"{Tiny}/reconstruct", body.Json())
            .ProblemAsync(400), StringComparison.Ordinal);

    public static TheoryData<string, byte[], string, int> WrongImages => new()
    {
        { "text", "hello, world"u8.ToArray(), "image/png", 400 },
        { "nothing", [], "image/png", 400 },
        { "a truncated JPEG", Pictures.Jpeg[..(Pictures.Jpeg.Length / 2)], "image/jpeg", 400 },
        { "a truncated PNG", Pictures.Bands(1, 2, 3, 4)[..40], "image/png", 400 },
        { "a truncated WebP", Pictures.WebP[..60], "image/webp", 400 },
        { "a GIF", "GIF89a\u0001\0\u0001\0"u8.ToArray(), "image/png", 400 },
        { "a PNG of 60,000 × 60,000", Pictures.Huge(60_000, 60_000), "image/png", 413 },
        { "a PNG of a negative size", Pictures.Huge(-5, 10), "image/png", 400 },
        { "a body beyond the limit", new byte[1_000_001], "image/png", 413 },
        { "text of its own content type", "hello, world"u8.ToArray(), "text/plain", 415 },
        { "text of no known content type", "hello, world"u8.ToArray(), "application/octet-stream", 415 },
        { "a form without a boundary", "x"u8.ToArray(), "multipart/form-data", 400 },
        { "a form that is none", "x"u8.ToArray(), "multipart/form-data; boundary=abc", 400 },
        { "a form cut short", "--abc\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a\"\r\n\r\nhalf"u8.ToArray(),
        "multipart/form-data; boundary=abc", 400 },
        { "a form with a field", "--abc\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--abc--\r\n"u8.ToArray(),
        "multipart/form-data; boundary=abc", 400 },
    };

    [Theory]
    [MemberData(nameof(WrongImages), DisableDiscoveryEnumeration = true)] // else the megabyte is written into the test's name
    public async Task A_wrong_image_is_explained(string what, byte[] body, string type, int status)
    {
        var detail = await serving.Http.SendAsync(HttpMethod.Post, $"{Tiny}/reconstruct", body.Body(type)).ProblemAsync(status);
        Assert.True(detail.Length > 20, $"{what}: {detail}");
    }

    [Fact]
    public async Task A_chunked_body_beyond_the_limit_is_too_large_too()
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Post, $"{Tiny}/reconstruct")
        { Content = new byte[1_500_000].Body("image/png") };
        request.Headers.TransferEncodingChunked = true;
        await serving.Http.SendAsync(request).ProblemAsync(413);
    }

    /// <summary>Azure's host passes a body on while it waits for the answer, and makes a 500 of a connection that is closed
    /// meanwhile.</summary>
    [Fact]
    public async Task A_body_beyond_the_limit_can_be_sent_to_its_end()
    {
        using var connection = new TcpClient();
        await connection.ConnectAsync(serving.Http.BaseAddress!.Host, serving.Http.BaseAddress.Port);
        await using var stream = connection.GetStream();
        var body = new byte[20_000_000];
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /api/{Tiny}/reconstruct HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: "
                + $"{body.Length}\r\n\r\n"));

        await stream.WriteAsync(body);

        using var reader = new StreamReader(stream);
        Assert.Equal("HTTP/1.1 413 Payload Too Large", await reader.ReadLineAsync());
    }

    [Theory]
    // a name that is not UTF-8
    [InlineData(new byte[] { (byte)'{', (byte)'"', 0xB1, (byte)'"', (byte)':', (byte)'1', (byte)'}' })]
    // half a surrogate pair
    [InlineData(new byte[] { (byte)'{', (byte)'"', (byte)'a', (byte)'"', (byte)':', (byte)'"', (byte)'\\', (byte)'u', (byte)'d',
        (byte)'8', (byte)'0', (byte)'0', (byte)'"', (byte)'}' })]
    public async Task Text_that_is_none_is_explained(byte[] body) =>
        Assert.Contains("not JSON", await serving.Http.SendAsync(HttpMethod.Post, $"{Tiny}/sample", body.Body("application/json"))
            .ProblemAsync(400), StringComparison.Ordinal);

    [Fact]
    public async Task Too_many_images_are_refused()
    {
        var form = HttpExtensions.Form([.. Enumerable.Repeat(Pictures.Grey(1, 1), 9)]);
        Assert.Contains("at most 8", await serving.Http.SendAsync(HttpMethod.Post, $"{Tiny}/reconstruct", form)
            .ProblemAsync(413), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broken_image_among_good_ones_is_named()
    {
        var form = HttpExtensions.Form(Pictures.Grey(1, 1), "no"u8.ToArray());
        Assert.Contains("images[1]:", await serving.Http.SendAsync(HttpMethod.Post, $"{Tiny}/reconstruct", form)
            .ProblemAsync(400), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("image/jpeg")]
    [InlineData("image/png;q=0")]
    [InlineData("nonsense")]
    public async Task What_is_not_there_is_not_acceptable(string accept) =>
        Assert.Contains("application/zip", await serving.Http.SendAsync(HttpMethod.Get, $"{Tiny}/sample", accept: accept)
            .ProblemAsync(406), StringComparison.Ordinal);

    [Fact]
    public async Task A_sample_body_that_is_not_json_is_an_unsupported_type() =>
        await serving.Http.SendAsync(HttpMethod.Post, $"{Tiny}/sample", Encoding.UTF8.GetBytes("count=3")
            .Body("application/x-www-form-urlencoded")).ProblemAsync(415);

    [Fact]
    public async Task No_content_type_is_unsupported_too()
    {
        var body = new ByteArrayContent("hello, world"u8.ToArray());
        Assert.Null(body.Headers.ContentType);
        await serving.Http.SendAsync(HttpMethod.Post, $"{Tiny}/reconstruct", body).ProblemAsync(415);
    }

    [Theory]
    [InlineData("""{}""", "\"input\" is missing")]
    [InlineData("""{"input": "inbox/a/"}""", "\"output\" is missing")]
    [InlineData("""{"input": "inbox/a/", "output": "results/x"}""", "ends in /")]
    [InlineData("""{"input": "models/tiny/", "output": "results/"}""", "inbox or results")]
    [InlineData("""{"input": "inbox/a/", "output": "models/tiny/"}""", "give a path in results")]
    [InlineData("""{"input": "inbox/a/", "output": "inbox/b/"}""", "give a path in results")]
    [InlineData("""{"input": "inbox/../models/", "output": "results/"}""", "..")]
    [InlineData("""{"input": "results/a", "output": "results/a-done/"}""", "lies under input")]
    [InlineData("""{"input": "results/a", "output": "results/"}""", "lies under input")]
    [InlineData("""{"input": "results/a/", "output": "results/"}""", "or holds it")]
    [InlineData("""{"input": "inbox/a/", "output": "results/", "operation": "dream"}""", "reconstruct or encode or anomaly")]
    [InlineData(
        """{"input": "inbox/a/", "output": "results/", "operation": "encode", "format": "csv"}""", "files or parquet or tar")]
    public async Task A_wrong_job_is_explained(string body, string hint) =>
        Assert.Contains(hint, await serving.Http.SendAsync(HttpMethod.Post, "models/tiny/jobs", body.Json())
            .ProblemAsync(400), StringComparison.Ordinal);

    [Theory]
    [InlineData("augment", """{"count": 257}""", "count is 257; give a whole number from 1 to 256")]
    [InlineData("augment", """{"count": 0}""", "1 to 256")]
    [InlineData("augment", """{"spread": 11}""", "spread is 11")]
    [InlineData("augment", """{"seed": -1}""", "seed is -1")]
    [InlineData("augment", """{"temperature": 1}""", "\"temperature\" is of no use to augment; leave it out. It takes operation")]
    [InlineData("edit", """{}""", "\"concepts\" is missing")]
    [InlineData("edit", """{"concepts": {}}""", "concepts is {}")]
    [InlineData("edit", """{"concepts": {"bright": 101}}""", "-100 to 100")]
    [InlineData("edit", """{"concepts": {"bright": 1}, "strengths": []}""", "strengths is []")]
    [InlineData("edit", """{"concepts": {"bright": 1}, "direction": "up"}""", "mean or logistic")]
    [InlineData("edit", """{"concepts": {"own": 1}, "examples": {"own": {"with": []}}}""", "both sets")]
    [InlineData("edit", """{"concepts": {"bright": 1}, "seed": 1}""", "\"seed\" is of no use to edit")]
    [InlineData("encode", """{"count": 3}""", "\"count\" is of no use to encode")]
    [InlineData("sample", """{}""", "\"input\" is of no use to sample")]
    [InlineData("augment", """{"label": "bright"}""", "is not conditional")]
    public async Task A_wrong_job_on_images_is_explained(string operation, string given, string hint)
    {
        var body = JsonNode.Parse(given)!.AsObject();
        (body["operation"], body["input"], body["output"]) = (operation, "inbox/none/", "results/none/");
        Assert.Contains(hint, await serving.Http.SendAsync(HttpMethod.Post, "models/tiny/jobs", body.ToJsonString().Json())
            .ProblemAsync(400), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tiny", """{"count": 0}""", 400, "count is 0; give a whole number from 1 to 10000000")]
    [InlineData("tiny", """{"count": 10000001}""", 400, "1 to 10000000")]
    [InlineData("tiny", """{"temperature": -1}""", 400, "0 to 10")]
    [InlineData("tiny", """{"spread": 1}""", 400, "\"spread\" is of no use to sample")]
    [InlineData("tiny", """{"version": "v0"}""", 404, "v0")]
    [InlineData("labelled", """{"label": "dark"}""", 400, "There is no label \"dark\"")]
    [InlineData("plain-autoencoder", """{}""", 409, "plain autoencoder")]
    public async Task A_job_that_cannot_draw_is_explained(string model, string given, int status, string hint)
    {
        var body = JsonNode.Parse(given)!.AsObject();
        (body["operation"], body["output"]) = ("sample", "results/none/");
        Assert.Contains(hint, await serving.Http.SendAsync(HttpMethod.Post, $"models/{model}/jobs", body.ToJsonString().Json())
            .ProblemAsync(status), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_with_a_concept_that_is_not_there_is_explained() =>
        Assert.Contains("It has bright", await serving.Http.SendAsync(HttpMethod.Post, "models/tiny/jobs",
            """{"operation": "edit", "input": "inbox/a/", "output": "results/x/", "concepts": {"absent": 1}}""".Json())
            .ProblemAsync(404), StringComparison.Ordinal);

    [Theory]
    [InlineData("GET", "models/tiny/jobs/none")]
    [InlineData("DELETE", "models/tiny/jobs/none")]
    [InlineData("GET", "models/tiny/jobs/..%2f..%2fx")]
    public async Task A_job_that_is_not_there_is_not_found(string method, string path) =>
        await serving.Http.SendAsync(new HttpMethod(method), path).ProblemAsync(404);

    [Theory]
    [InlineData("encode", """{"images": ["blob:secrets/key.png"]}""", 400, "only blobs of inbox, results")]
    [InlineData("encode", """{"images": ["blob:inbox/../models/x"]}""", 400, "images[0]")]
    [InlineData("encode", """{"images": ["part:face"]}""", 400, "no such file")]
    [InlineData("encode", """{"images": ["AAAA"], "label": 1}""", 400, "")]
    [InlineData("decode", """{}""", 400, "latents")]
    [InlineData("decode", """{"latents": []}""", 400, "latents")]
    [InlineData("decode", """{"latents": [1, 2, 3]}""", 400, "have 4")]
    [InlineData("decode", """{"latents": [[1, 2, 3, 4], [1]]}""", 400, "latents[1] has 1 numbers")]
    [InlineData("decode", """{"latents": [[1, 2, 3, "4"]]}""", 400, "latents[0][3]")]
    [InlineData("decode", """{"latents": [[1, 2, 3, 1e300]]}""", 400, "finite")]
    [InlineData("decode", """{"latents": [[1, 2, 3, 1e999]]}""", 400, "")]
    [InlineData("decode", """{"latents": 4}""", 400, "latents")]
    [InlineData("interpolate", """{}""", 400, "\"stops\" is missing")]
    [InlineData("interpolate", """{"stops": []}""", 400, "at least two")]
    [InlineData("interpolate", """{"stops": [{"seed": 1}]}""", 400, "at least two")]
    [InlineData("interpolate", """{"stops": [{"seed": 1}, {"seed": 2}], "steps": 1}""", 400, "from 2 to 256")]
    [InlineData("interpolate", """{"stops": [{"seed": 1}, {"seed": 2}], "method": "spline"}""", 400, "slerp or lerp")]
    [InlineData("interpolate", """{"stops": [{"seed": 1}, {"seed": 2}], "milliseconds": 1}""", 400, "from 10 to 10000")]
    [InlineData("interpolate", """{"stops": [{"seed": 1}, {"seed": -2}]}""", 400, "stops[1].seed is -2")]
    [InlineData("interpolate", """{"stops": [{"seed": 1}, {"concept": "bright"}]}""", 400, "direction and no place")]
    [InlineData("interpolate", """{"stops": [{"seed": 1}, {"seed": 2, "weight": 1}]}""", 400, "stops[1]")]
    [InlineData("interpolate", """{"stops": [{"seed": 1, "latent": [0, 0, 0, 0]}, {"seed": 2}]}""", 400,
        "stops[0] is not understood")]
    [InlineData("interpolate", """{"stops": [null, {}]}""", 400, "stops[0] is not understood")]
    [InlineData("interpolate", """{"stops": {"seed": 1}}""", 400, "stops is")]
    [InlineData("interpolate", """{"stops": [{"seed": 1}, {"seed": 2}, {"seed": 3}], "steps": 200}""", 400, "at most 256")]
    [InlineData("arithmetic", """{"terms": []}""", 400, "at least one term")]
    [InlineData("arithmetic", """{"terms": [{"seed": 1, "weight": "much"}]}""", 400, "terms[0].weight")]
    [InlineData("arithmetic", """{"terms": [{"seed": 1, "weight": 1e6}]}""", 400, "-1000 to 1000")]
    [InlineData("arithmetic", """{"terms": [{"concept": "absent"}]}""", 404, "It has bright")]
    [InlineData("arithmetic", """{"terms": [{"concept": "../../x"}]}""", 404, "no concept")]
    [InlineData("arithmetic", """{"terms": [{"concept": 7}]}""", 400, "no text")]
    [InlineData("arithmetic", """{"terms": [{"concept": "own"}], "examples": {"own": {"with": []}}}""", 400, "both sets")]
    [InlineData("arithmetic", """{"terms": [{"concept": "own"}], "examples": {"own": {"with": [], "without": []}}}""", 400,
        "own.with")]
    [InlineData("arithmetic", """{"terms": [{"concept": "own"}], "examples": [1]}""", 400, "examples is [1]")]
    [InlineData("arithmetic", """{"terms": [{"concept": "bright"}], "direction": "up"}""", 400, "mean or logistic")]
    [InlineData("edit", """{"concepts": {"bright": 1}}""", 400, "no image")]
    [InlineData("edit", """{"image": 5, "concepts": {"bright": 1}}""", 400, "image is not base64")]
    [InlineData("edit", """{"image": "IMAGE"}""", 400, "\"concepts\" is missing")]
    [InlineData("edit", """{"image": "IMAGE", "concepts": {}}""", 400, "concepts is {}")]
    [InlineData("edit", """{"image": "IMAGE", "concepts": ["bright"]}""", 400, "concepts is")]
    [InlineData("edit", """{"image": "IMAGE", "concepts": {"bright": "more"}}""", 400, "concepts.bright")]
    [InlineData("edit", """{"image": "IMAGE", "concepts": {"bright": 101}}""", 400, "-100 to 100")]
    [InlineData("edit", """{"image": "IMAGE", "concepts": {"bright": 1}, "strengths": []}""", 400, "strengths is []")]
    [InlineData("edit", """{"image": "IMAGE", "concepts": {"bright": 1}, "strengths": ["a"]}""", 400, "at place 0")]
    [InlineData("edit", """{"image": "IMAGE", "concepts": {"bright": 1}, "strengths": 3}""", 400, "array of numbers")]
    [InlineData("manifold?n=0", null, 400, "from 1 to 64")]
    [InlineData("manifold?n=17", null, 400, "at most 256")]
    [InlineData("manifold?x=4", null, 400, "from 0 to 3")]
    [InlineData("manifold?x=2&y=2", null, 400, "two different axes")]
    [InlineData("inpaint", """{"image": "IMAGE"}""", 400, "\"mask\" is missing")]
    [InlineData("inpaint", """{"image": "IMAGE", "mask": "AAAA"}""", 400, "mask")]
    [InlineData("inpaint", """{"image": "IMAGE", "mask": "IMAGE", "iterations": 0}""", 400, "from 1 to 200")]
    [InlineData("inpaint", """{"image": "IMAGE", "mask": "WHITE"}""", 400, "covers the whole image")]
    [InlineData("inpaint", """{"image": "IMAGE", "mask": "WIDE"}""", 400, "must be of one size")]
    [InlineData("augment?count=0", """{"images": ["IMAGE"]}""", 400, "from 1 to 4096")]
    [InlineData("augment?count=300", """{"images": ["IMAGE"]}""", 400, "at most 256")]
    [InlineData("augment?spread=-1", """{"images": ["IMAGE"]}""", 400, "from 0 to 10")]
    [InlineData("augment?seed=1.5", """{"images": ["IMAGE"]}""", 400, "seed is 1.5")]
    [InlineData("anomaly", """{"image": "IMAGE"}""", 400, "\"image\" is not known")]
    public async Task A_wrong_operation_is_explained(string path, string? body, int status, string hint)
    {
        body = body?.Replace("IMAGE", Convert.ToBase64String(Pictures.Bands(1, 2, 3, 4)), StringComparison.Ordinal)
            .Replace("WHITE", Convert.ToBase64String(Pictures.Bands(255, 255, 255, 255)), StringComparison.Ordinal)
            .Replace("WIDE", Convert.ToBase64String(Pictures.Grey(16, 8)), StringComparison.Ordinal);
        var answer = serving.Http.SendAsync(body is null ? HttpMethod.Get : HttpMethod.Post, $"{Tiny}/{path}", body?.Json());
        Assert.Contains(hint, await answer.ProblemAsync(status), StringComparison.Ordinal);
    }
}
