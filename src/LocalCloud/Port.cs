using System.Net;
using System.Net.Sockets;

namespace VaeFunctions.LocalCloud;

/// <summary>TCP ports of this machine's loopback interface.</summary>
static class Port
{
    /// <summary>A port that nobody listens on at the moment, nor on the next one, which the emulator's queues take.</summary>
    /// <remarks>It is below those that the system gives to connections (on Linux from 32768), any of which may be taken between
    /// the look and the use.</remarks>
    public static int Free()
    {
        int port;
        do
            port = 2 * Random.Shared.Next(10_000, 16_000);
        while (!IsFree(port) || !IsFree(port + 1));
        return port;
    }

    /// <exception cref="LocalCloudException">Someone listens on the port already.</exception>
    public static void DemandFree(int port, string purpose, string option)
    {
        try
        {
            Listen(port);
        }
        catch (SocketException denied) when (denied.SocketErrorCode == SocketError.AccessDenied)
        {
            throw LocalCloudException.WrongInput(
                $"Port {port}, meant for {purpose}, takes rights that this user has not; "
                + $"choose one above 1023: {option} {port + 8000}");
        }
        catch (SocketException)
        {
            throw LocalCloudException.WrongInput(
                $"Port {port}, meant for {purpose}, is in use, perhaps by another ./vae serve. Stop that, or choose another: "
                    + $"{option} {(port < 65000 ? port : port - 1000) + 10}");
        }
    }

    static bool IsFree(int port)
    {
        try
        {
            Listen(port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    static void Listen(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port) { ExclusiveAddressUse = true };
        listener.Start();
    }
}
