using System.Net;
using System.Net.Sockets;

namespace VaeFunctions.Tests;

/// <summary>Passes connections on to another port, until it is closed: a storage that can go down.</summary>
sealed class TcpGate : IDisposable
{
    readonly int target;
    TcpListener listener;
    CancellationTokenSource open = new();

    public TcpGate(int target)
    {
        this.target = target;
        listener = Listen(0);
        Port = ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public int Port { get; }

    /// <summary>Cuts all connections and refuses new ones.</summary>
    public void Close()
    {
        open.Cancel();
        listener.Stop();
    }

    public void Open()
    {
        open = new CancellationTokenSource();
        listener = Listen(Port);
    }

    public void Dispose() => Close();

    TcpListener Listen(int port)
    {
        var fresh = new TcpListener(IPAddress.Loopback, port);
        fresh.Start();
        _ = AcceptAsync(fresh, open.Token);
        return fresh;
    }

    async Task AcceptAsync(TcpListener listening, CancellationToken cancellation)
    {
        try
        {
            while (true)
                _ = PassAsync(await listening.AcceptTcpClientAsync(cancellation), cancellation);
        }
        catch (Exception fault) when (fault is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    async Task PassAsync(TcpClient client, CancellationToken cancellation)
    {
        using var near = client;
        using var far = new TcpClient();
        try
        {
            await far.ConnectAsync(IPAddress.Loopback, target, cancellation);
            await Task.WhenAny(near.GetStream().CopyToAsync(far.GetStream(), cancellation),
                far.GetStream().CopyToAsync(near.GetStream(), cancellation));
        }
        catch (Exception fault) when (fault is OperationCanceledException or IOException or SocketException)
        {
        }
    }
}
