using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace VaeFunctions.Tests;

/// <summary>Stands before a storage emulator's blobs and queues and may do something at each request: be told of it, refuse it,
/// slow it down, cut its answer, or break off.</summary>
sealed class FaultProxy : IDisposable
{
    static readonly TimeSpan slowest = TimeSpan.FromSeconds(1.5);

    readonly List<HttpListener> listeners = [];
    readonly HttpClient http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
    volatile bool closed;
    int underWay;

    /// <param name="connectionString">The emulator's.</param>
    public FaultProxy(string connectionString)
    {
        ConnectionString = Regex.Replace(connectionString, "(Blob|Queue)Endpoint=(http://[^/;]+)", match =>
            $"{match.Groups[1].Value}Endpoint={Listen(match.Groups[2].Value, isQueue: match.Groups[1].Value == "Queue")}");
    }

    public string ConnectionString { get; }

    /// <summary>What is to happen at a request, by its method and path (container/name), before it is passed on.</summary>
    public Func<string, string, Fault> Decide { get; set; } = (_, _) => Fault.None;

    /// <summary>Is told of a request that was answered, before the answer is passed back.</summary>
    public Action<string, string> Answered { get; set; } = (_, _) => { };

    /// <summary>Is told the same with all that tells one kind of operation from another.</summary>
    public Action<PassedRequest> Passed { get; set; } = _ => { };

    /// <summary>Breaks off every connection until <see cref="Open"/>; completes when no request is under way any more.</summary>
    public async Task CloseAsync()
    {
        closed = true;
        while (Volatile.Read(ref underWay) > 0)
            await Task.Delay(10);
    }

    public void Open() => closed = false;

    public void Dispose()
    {
        foreach (var listener in listeners)
            listener.Close();
        http.Dispose();
    }

    /// <summary>Listens for a target and gives its own address.</summary>
    string Listen(string target, bool isQueue)
    {
        var address = $"http://127.0.0.1:{FreePort().ToString(CultureInfo.InvariantCulture)}";
        var listener = new HttpListener { Prefixes = { $"{address}/" } };
        listener.Start();
        listeners.Add(listener);
        _ = AcceptAsync(listener, target, isQueue);
        return address;
    }

    async Task AcceptAsync(HttpListener listener, string target, bool isQueue)
    {
        try
        {
            while (true)
                _ = PassAsync(await listener.GetContextAsync(), target, isQueue);
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
        }
    }

    async Task PassAsync(HttpListenerContext context, string target, bool isQueue)
    {
        Interlocked.Increment(ref underWay);
        try
        {
            await PassOnAsync(context, target, isQueue);
        }
        catch (Exception e) when (e is HttpListenerException or HttpRequestException or IOException or ObjectDisposedException
            or InvalidOperationException or TaskCanceledException)
        {
            BreakOff(context); // whoever asked was killed, or the emulator ended
        }
        finally
        {
            Interlocked.Decrement(ref underWay);
        }
    }

    async Task PassOnAsync(HttpListenerContext context, string target, bool isQueue)
    {
        var (method, url) = (context.Request.HttpMethod, context.Request.RawUrl!);
        var path = Uri.UnescapeDataString(string.Join('/', url.Split('?')[0].Split('/').Skip(2)));
        var fault = closed ? Fault.Break : Decide(method, path);
        if (fault == Fault.Break)
        {
            BreakOff(context);
            return;
        }
        if (RefusalOf(fault, isQueue) is var (status, code))
        {
            context.Response.StatusCode = status;
            context.Response.AddHeader("x-ms-error-code", code);
            context.Response.Close();
            return;
        }
        if (fault == Fault.Slow)
            await Task.Delay(Random.Shared.NextDouble() * slowest);
        using var answer = await http.SendAsync(await CopyAsync(context.Request, method, target + url));
        var body = await answer.Content.ReadAsByteArrayAsync();
        Answered(method, path);
        Passed(new(isQueue, method, path, url.Contains('?') ? url[url.IndexOf('?')..] : "", (int)answer.StatusCode));
        if (closed)
        {
            BreakOff(context);
            return;
        }
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
            await context.Response.OutputStream.WriteAsync(fault == Fault.Cut ? body.AsMemory(0, body.Length / 2) : body);
        if (fault == Fault.Cut)
            context.Response.Abort();
        else
            context.Response.Close();
    }

    /// <summary>Closes the connection. The listener sends headers before it does so, of success unless told otherwise: these
    /// announce a body that does not come, which no client takes for an answer.</summary>
    static void BreakOff(HttpListenerContext context)
    {
        try
        {
            (context.Response.StatusCode, context.Response.ContentLength64) = (503, 1);
        }
        catch (Exception e) when (e is InvalidOperationException or ObjectDisposedException)
        {
            // The answer has begun, and ends here.
        }
        context.Response.Abort();
    }

    static (int Status, string Code)? RefusalOf(Fault fault, bool isQueue) => fault switch
    {
        Fault.Busy => (503, "ServerBusy"),
        Fault.Error => (500, "InternalError"),
        Fault.Conflict => (409, isQueue ? "QueueBeingDeleted" : "ContainerBeingDeleted"),
        _ => null,
    };

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

/// <summary>A request that a storage answered.</summary>
/// <param name="Path">container/name, or queue/messages.</param>
/// <param name="Query">With its question mark; empty where there is none.</param>
readonly record struct PassedRequest(bool IsQueue, string Method, string Path, string Query, int Status);

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

    /// <summary>It breaks off in the middle of its answer's body.</summary>
    Cut,

    /// <summary>It says that something went wrong in it.</summary>
    Error,

    /// <summary>It says that something else is being done to what is asked for.</summary>
    Conflict,

    /// <summary>It takes its time.</summary>
    Slow,
}
