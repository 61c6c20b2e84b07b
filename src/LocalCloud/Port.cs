using System.Net;
using System.Net.Sockets;

namespace VaeFunctions.LocalCloud;

/// <summary>TCP ports of this machine's loopback interface.</summary>
static class Port
{
    /// <summary>A port that nobody listens on at the moment.</summary>
    public static int Free()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <exception cref="LocalCloudException">Someone listens on the port already.</exception>
    public static void DemandFree(int port, string purpose, string option)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port) { ExclusiveAddressUse = true };
            listener.Start();
        }
        catch (SocketException denied) when (denied.SocketErrorCode == SocketError.AccessDenied)
        {
            throw LocalCloudException.WrongInput(
                $"Port {port}, meant for {purpose}, takes rights that this user has not; choose one above 1023: {option} {port + 8000}");
        }
        catch (SocketException)
        {
            throw LocalCloudException.WrongInput(
                $"Port {port}, meant for {purpose}, is in use, perhaps by another ./vae serve. Stop that, or choose another: "
                    + $"{option} {(port < 65000 ? port : port - 1000) + 10}");
        }
    }
}
