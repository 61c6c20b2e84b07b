using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace VaeFunctions.Tests;

/// <summary>Stands before a storage emulator's blobs, or its queues, and may do something at each request: be told of it, refuse
/// it, cut its answer in half, or break off.</summary>
sealed class FaultProxy : IDisposable
{
    readonly HttpListener listener = new();
    readonly HttpClient http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
    readonly string target;

    /// <param name="connectionString">The emulator's.</param>
    /// <param name="endpoint">BlobEndpoint or QueueEndpoint.</param>
    public FaultProxy(string connectionString, string endpoint = "BlobEndpoint")
    {
        target = Regex.Match(connectionString, $"{endpoint}=(http://[^/;]+)").Groups[1].Value;
        var port = FreePort();
        ConnectionString = connectionString.Replace($"{endpoint}={target}", $"{endpoint}=http://127.0.0.1:{port}",
            StringComparison.Ordinal);
        listener.Prefixes.Add($"http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}/");
        listener.Start();
        _ = AcceptAsync();
    }

    public string ConnectionString { get; }

    /// <summary>What is to happen at a request, by its method and path (container/name), before it is passed on.</summary>
    public Func<string, string, Fault> Decide { get; set; } = (_, _) => Fault.None;

    /// <summary>Is told of a request that was answered, before the answer is passed back.</summary>
    public Action<string, string> Answered { get; set; } = (_, _) => { };

    public void Dispose()
    {
        listener.Close();
        http.Dispose();
    }

    async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = PassAsync(await listener.GetContextAsync());
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
        }
    }

    async Task PassAsync(HttpListenerContext context)
    {
        try
        {
            var (method, url) = (context.Request.HttpMethod, context.Request.RawUrl!);
            var path = Uri.UnescapeDataString(string.Join('/', url.Split('?')[0].Split('/').Skip(2)));
            var fault = Decide(method, path);
            if (fault == Fault.Break)
            {
                context.Response.Abort();
                return;
            }
            if (fault == Fault.Busy)
            {
                context.Response.StatusCode = 503;
                context.Response.Close();
                return;
            }
            using var answer = await http.SendAsync(await CopyAsync(context.Request, method, target + url));
            var body = await answer.Content.ReadAsByteArrayAsync();
            Answered(method, path);
            if (fault == Fault.Half && method == "GET")
                body = body[..(body.Length / 2)];
            context.Response.StatusCode = (int)answer.StatusCode;
            foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
            {
                if (name is not ("Content-Length" or "Transfer-Encoding" or "Connection" or "Keep-Alive"))
                    context.Response.AddHeader(name, string.Join(", ", values));
            }
            context.Response.ContentLength64 = method == "HEAD" ? answer.Content.Headers.ContentLength ?? 0 : body.Length;
            if (method != "HEAD")
                await context.Response.OutputStream.WriteAsync(body);
            context.Response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or HttpRequestException or IOException or ObjectDisposedException
            or InvalidOperationException)
        {
            context.Response.Abort(); // whoever asked was killed, or the emulator ended
        }
    }

    static async Task<HttpRequestMessage> CopyAsync(HttpListenerRequest request, string method, string url)
    {
        var copy = new HttpRequestMessage(new HttpMethod(method), url);
        using var body = new MemoryStream();
        await request.InputStream.CopyToAsync(body);
        if (request.HasEntityBody || method is "PUT" or "POST") copy.Content = new ByteArrayContent(body.ToArray());
        foreach (var name in request.Headers.AllKeys.OfType<string>())
        {
            if (name is "Host" or "Connection" or "Content-Length" or "Expect" or "Transfer-Encoding") continue;
            if (!copy.Headers.TryAddWithoutValidation(name, request.Headers[name]))
                copy.Content?.Headers.TryAddWithoutValidation(name, request.Headers[name]);
        }
        return copy;
    }

    static int FreePort()
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        return ((IPEndPoint)free.LocalEndpoint).Port;
    }
}

/// <summary>What a storage may do wrong with a request.</summary>
enum Fault
{
    None,

    /// <summary>It says that it is busy.</summary>
    Busy,

    /// <summary>It breaks the connection off.</summary>
    Break,

    /// <summary>It gives half of what is asked for, with a length that agrees.</summary>
    Half,
}
