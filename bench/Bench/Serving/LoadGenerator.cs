using System.Diagnostics;

namespace VaeFunctions.Bench.Serving;

/// <summary>What clients met with: the milliseconds from each request to the end of its answer.</summary>
sealed record Load(double Seconds, double[] Milliseconds)
{
    public double Rate => Milliseconds.Length / Seconds;

    public double Percentile(double share) => Milliseconds[Math.Min(Milliseconds.Length - 1, (int)(share * Milliseconds.Length))];
}

/// <summary>Clients that ask again as soon as they are answered.</summary>
sealed class LoadGenerator : IDisposable
{
    readonly HttpClient http;
    readonly int clients;
    readonly Uri address;
    readonly byte[] body;

    public LoadGenerator(Uri address, byte[] body, int clients)
    {
        (this.address, this.body, this.clients) = (address, body, clients);
        http = new(new SocketsHttpHandler { MaxConnectionsPerServer = clients, UseCookies = false, UseProxy = false });
    }

    /// <summary>Asks for some time, or until there are as many answers.</summary>
    public async Task<Load> RunAsync(TimeSpan time, int answers = int.MaxValue)
    {
        var clock = Stopwatch.StartNew();
        var asked = 0;
        var results = await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            var own = new List<double>();
            var buffer = new byte[1 << 16];
            while (clock.Elapsed < time && Interlocked.Increment(ref asked) <= answers)
            {
                var start = Stopwatch.GetTimestamp();
                await AskAsync(buffer);
                own.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
            return own;
        })));
        return new(clock.Elapsed.TotalSeconds, [.. results.SelectMany(own => own).Order()]);
    }

    /// <summary>One answer.</summary>
    /// <exception cref="InvalidOperationException">It is an error.</exception>
    public async Task<byte[]> AskAsync()
    {
        using var response = await SendAsync();
        return await response.Content.ReadAsByteArrayAsync();
    }

    async Task AskAsync(byte[] buffer)
    {
        using var response = await SendAsync();
        using var content = await response.Content.ReadAsStreamAsync();
        while (await content.ReadAsync(buffer) > 0)
        {
        }
    }

    async Task<HttpResponseMessage> SendAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(body) { Headers = { { "Content-Type", "application/json" } } } };
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if (response.IsSuccessStatusCode)
            return response;
        using (response)
            throw new InvalidOperationException($"{address} answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
    }

    public void Dispose() => http.Dispose();
}
