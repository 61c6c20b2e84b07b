using System.Text;
using System.Text.Json;

namespace VaeFunctions.Tests;

/// <summary>Good requests with bytes changed, cut, doubled and swapped: whatever comes of them is an answer or a 4xx.</summary>
[Collection(Serving.Name)]
public sealed class MutationTests(ServingFixture serving)
{
    const int Mutations = 10_000;

    static readonly byte[] Png = Pictures.Bands(10, 60, 130, 250);

    static readonly (string Path, string Type, byte[] Body)[] Seeds =
    [
        ("reconstruct", "image/png", Png),
        ("encode", "image/jpeg", Pictures.Jpeg),
        ("anomaly", "image/webp", Pictures.WebP),
        ("augment?count=2", "image/png", Png),
        ("reconstruct", "application/json", Json(new { images = new[] { Pictures.Jpeg, Png } })),
        ("decode", "application/json", """{"latents": [[0.1, -2, 3e1, 4], [0, 0, 0, 0]]}"""u8.ToArray()),
        ("interpolate", "application/json",
        """{"stops": [{"seed": 3}, {"latent": [1, 2, 3, 4]}, [0, 0, 0, 0]], "steps": 3, "method": "lerp"}"""u8.ToArray()),
        ("arithmetic", "application/json",
        """
        {"terms": [{"seed": 1, "weight": -2.5}, {"concept": "bright", "weight": 2}, {"latent": [1, 0, 0, 0]}], "direction": "mean"}
        """u8.ToArray()),
        ("edit", "application/json", Json(
        new { image = Png, concepts = new { bright = 1, own = 0.5 }, strengths = new[] { -1, 0, 1 },
        examples = new { own = new { with = new[] { Png }, without = new[] { Png } } } })),
        ("sample", "application/json", """{"count": 3, "seed": 5, "temperature": 0.5}"""u8.ToArray()),
        ("inpaint", "multipart/form-data; boundary=abc", Form(("image", Png), ("mask", Pictures.Grey(8, 8)))),
        ("interpolate", "multipart/form-data; boundary=abc", Form(("stops", Png), ("stops", Pictures.WebP))),
        ("jobs", "application/json",
            """{"operation": "encode", "input": "inbox/nothing/", "output": "results/nothing/"}"""u8.ToArray()),
        ("jobs", "application/json",
            """
            {"operation": "edit", "input": "inbox/nothing/", "output": "results/nothing/", "concepts": {"bright": 1},
             "strengths": [1, 2]}
            """u8.ToArray()),
    ];

    static byte[] Json(object value) => JsonSerializer.SerializeToUtf8Bytes(value);

    static byte[] Form(params (string Name, byte[] Content)[] parts) =>
    [
        .. parts.SelectMany(part => Encoding.UTF8.GetBytes(
        $"--abc\r\nContent-Disposition: form-data; name=\"{part.Name}\"; filename=\"x\"\r\n\r\n").Concat(part.Content)
        .Concat("\r\n"u8.ToArray())),
        .. "--abc--\r\n"u8,
    ];

    [Fact]
    public async Task Ten_thousand_mutated_requests_give_no_server_error_and_no_crash()
    {
        var statuses = new int[600];
        await Parallel.ForAsync(0, Mutations, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, cancellation) =>
        {
            var (path, type, body) = Seeds[i % Seeds.Length];
            var mutated = Mutate(body, new RandomStream(1, "mutation", (ulong)i));
            using var response = await serving.Http.PostAsync(
                new Uri($"models/{ServingFixture.Model}/{path}", UriKind.Relative), mutated.Body(type), cancellation);
            Interlocked.Increment(ref statuses[(int)response.StatusCode]);
            Assert.True((int)response.StatusCode < 500,
                $"Mutation {i} of {path}, {type}: {(int)response.StatusCode} "
                    + $"{await response.Content.ReadAsStringAsync(cancellation)}\n{Convert.ToBase64String(mutated)}");
        });
        Assert.Equal(Mutations, statuses.Sum());
        Assert.True(statuses[200] > 100
            && statuses[400] > 1000, $"{statuses[200]} good and {statuses[400]} bad requests: the mutations are too weak or too "
                + "strong");
        await serving.Http.SendAsync(HttpMethod.Get, "health/live").JsonAsync();
    }

    static byte[] Mutate(byte[] body, RandomStream random)
    {
        var bytes = body.ToList();
        for (var times = 1 + random.NextInt(4); times > 0; times--)
        {
            var (at, length) = (random.NextInt(bytes.Count + 1), 1 + random.NextInt(16));
            var end = Math.Min(at + length, bytes.Count);
            switch (random.NextInt(7))
            {
                case 0 when at < bytes.Count: // flip a bit
                    bytes[at] ^= (byte)(1 << random.NextInt(8));
                    break;
                case 1 when at < bytes.Count: // any byte
                    bytes[at] = (byte)random.NextInt(256);
                    break;
                case 2: // cut short
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 3: // leave out
                    bytes.RemoveRange(at, end - at);
                    break;
                case 4: // double
                    bytes.InsertRange(at, bytes.GetRange(at, end - at));
                    break;
                case 5: // what parsers trip over
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(Traps[random.NextInt(Traps.Length)]));
                    break;
                default: // swap two stretches
                    var stretch = bytes.GetRange(at, end - at);
                    bytes.RemoveRange(at, end - at);
                    bytes.InsertRange(random.NextInt(bytes.Count + 1), stretch);
                    break;
            }
        }
        return [.. bytes];
    }

    static readonly string[] Traps =
        ["\0", "\"", "{", "[", "]", "}", "null", "1e999", "-1", "99999999999999999999", "\\ud800", "\\u0000", "part:x",
            "blob:inbox/../models/x", "blob:inbox/\\u0000", "true", ",", "--abc", "\r\n\r\n", "\u00ff"];
}
