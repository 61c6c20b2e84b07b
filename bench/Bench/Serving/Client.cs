using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace VaeFunctions.Bench.Serving;

/// <summary>A connection on which the same is asked again and again, by plain system calls, so that the cores are left to the
/// server.</summary>
sealed class Client : IDisposable
{
    static readonly byte[] EndOfHeaders = [.. "\r\n\r\n"u8];

    readonly Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    readonly byte[] request;
    readonly int idAt;
    byte[] answer = new byte[1 << 16];

    /// <param name="json">What is posted.</param>
    /// <param name="idHeader">A header that names each request, if it is to have one.</param>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    public Client(Uri address, byte[] json, string? idHeader = null)
    {
        var start = $"POST {address.AbsolutePath} HTTP/1.1\r\nHost: {address.Authority}\r\n"
            + (idHeader is null ? "" : $"{idHeader}: ");
        idAt = start.Length;
        if (idHeader is not null) start += $"{Guid.Empty}\r\n";
        request = [.. Encoding.ASCII.GetBytes(
            $"{start}Content-Type: application/json\r\nContent-Length: {json.Length}\r\n\r\n"), .. json];
        socket.ReceiveTimeout = 60_000; // ms; a server that never answers ends the benchmark
        socket.Connect(address.Host, address.Port);
    }

    /// <summary>The body of an answer, which is good until the next.</summary>
    /// <param name="id">The request's name, a GUID in its usual spelling.</param>
    /// <exception cref="InvalidOperationException">It is an error, or none.</exception>
    public ReadOnlySpan<byte> Ask(string? id = null)
    {
        if (id is not null)
            Encoding.ASCII.GetBytes(id, request.AsSpan(idAt));
        socket.Send(request);
        int received = 0, start = 0, end = int.MaxValue;
        while (received < end)
        {
            if (received == answer.Length) Array.Resize(ref answer, 2 * answer.Length);
            received += socket.Receive(answer, received, answer.Length - received, SocketFlags.None) is > 0 and var more ? more
                : throw new InvalidOperationException("The server closed the connection in the middle of an answer.");
            if (start > 0 || answer.AsSpan(0, received).IndexOf(EndOfHeaders) is not (> 0 and var headers)) continue;
            start = headers + EndOfHeaders.Length;
            end = start + LengthOf(Encoding.ASCII.GetString(answer, 0, start));
        }
        return answer.AsSpan().StartsWith("HTTP/1.1 200 "u8) ? answer.AsSpan(start, end - start)
            : throw new InvalidOperationException($"The server answered {Encoding.UTF8.GetString(answer, 0, end)}");
    }

    static int LengthOf(string headers)
    {
        const string name = "\r\ncontent-length:";
        var at = headers.IndexOf(name, StringComparison.OrdinalIgnoreCase);
        return at > 0 ? int.Parse(headers.AsSpan(at + name.Length, headers.IndexOf('\r', at + 2) - at - name.Length),
            NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture)
            : throw new InvalidOperationException($"The server does not say how long its answer is: {headers}");
    }

    public void Dispose() => socket.Dispose();
}
