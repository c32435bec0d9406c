using System.Net;
using System.Net.Sockets;
using Vtp.Domain.Webhooks;

namespace Vtp.Infrastructure.Webhooks;

/// <summary>All addresses of a name.</summary>
internal delegate Task<IPAddress[]> ResolveName(string name, CancellationToken cancellationToken);

/// <summary>Every address of a host is one that may not be connected to.</summary>
internal sealed class AddressRefusedException(string host) : Exception($"{host} has no address that webhooks may go to.");

/// <summary>
/// Connects to the very addresses that were judged: a name that is asked for twice may answer a public address first and
/// a private one next (DNS rebinding).
/// </summary>
internal sealed class GuardedConnections(WebhookUrlRules rules, ResolveName resolve)
{
    public async ValueTask<Stream> ConnectAsync(DnsEndPoint target, CancellationToken cancellationToken)
    {
        var addresses = IPAddress.TryParse(target.Host, out var literal) ? [literal] : await resolve(target.Host, cancellationToken);
        if (addresses.Length == 0)
        {
            throw new SocketException((int)SocketError.HostNotFound);
        }

        SocketException? failure = null;
        foreach (var address in addresses.Where(rules.Allows))
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, target.Port), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException exception)
            {
                socket.Dispose();
                failure = exception;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        throw failure ?? (Exception)new AddressRefusedException(target.Host);
    }
}
