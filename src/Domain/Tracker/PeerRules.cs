using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Vtp.Domain.Tracker;

/// <summary>When a peer counts as what. Peers of the field send a heartbeat every 30 seconds, whatever they are told.</summary>
public static class Liveness
{
    public static readonly TimeSpan HeartbeatEvery = TimeSpan.FromSeconds(30);

    public static readonly TimeSpan OfflineAfter = TimeSpan.FromSeconds(90);

    /// <summary>From then on nobody is told of it, and its next heartbeat brings it back.</summary>
    public static readonly TimeSpan RemovedAfter = TimeSpan.FromMinutes(5);

    /// <summary>For so long a removed peer's name, and what a file without seeders is made of, stay known.</summary>
    public static readonly TimeSpan RememberedFor = TimeSpan.FromDays(7);
}

/// <summary>What a peer may be called.</summary>
public static class PeerName
{
    /// <summary>Peers of the field cut the first eight characters out of it, and crash where there are fewer.</summary>
    public const int MinimumLength = 8;
    public const int MaximumLength = 128;
    public const int MaximumHostname = 253;

    /// <returns>Null when it is a name; else the sentence that says why not.</returns>
    public static string? Fault(string? peerId) =>
        peerId is null || peerId.Length is < MinimumLength or > MaximumLength ? $"A peer id has {MinimumLength} to {MaximumLength} characters."
        : peerId.AsSpan().IndexOfAnyExcept(Allowed) >= 0 ? "A peer id has letters, digits and . _ : - only."
        : null;

    public static string? HostnameFault(string? hostname) =>
        hostname is null ? null
        : hostname.Length > MaximumHostname ? $"A host name has at most {MaximumHostname} characters."
        : hostname.EnumerateRunes().Any(rune => Rune.IsControl(rune) || rune == Rune.ReplacementChar) ? "A host name has no control characters."
        : null;

    private static readonly System.Buffers.SearchValues<char> Allowed =
        System.Buffers.SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._:-");
}

/// <summary>Whose word counts for where a peer can be reached.</summary>
public enum ClaimedAddresses
{
    /// <summary>
    /// A peer's own, when it comes from a private network or this machine: what it comes from is then no address that
    /// others could reach it at. One that comes from the open is listed where it comes from, and nowhere else.
    /// </summary>
    FromPrivateNetworks,

    /// <summary>Never a peer's own.</summary>
    Never,

    /// <summary>Always a peer's own: for networks whose peers are all trusted.</summary>
    Always,
}

/// <summary>Where a peer is listed: other peers will connect to it, so that nobody may name somebody else's address.</summary>
public static class PeerAddress
{
    /// <param name="claimed">What the peer says; empty, <c>localhost</c> and loopback stand for "where I come from".</param>
    /// <param name="origin">Where its request came from.</param>
    /// <param name="trust">Whose word counts.</param>
    /// <param name="address">Where to list it.</param>
    /// <returns>False for a claim that is no address of a peer, whoever makes it.</returns>
    public static bool TryDecide(string? claimed, IPAddress origin, ClaimedAddresses trust, out IPAddress address)
    {
        address = Plain(origin);
        if (string.IsNullOrEmpty(claimed) || claimed is "localhost")
        {
            return true;
        }

        if (!TryParse(claimed, out var said))
        {
            return false;
        }

        var isBelieved = !IPAddress.IsLoopback(said)
            && (trust is ClaimedAddresses.Always || (trust is ClaimedAddresses.FromPrivateNetworks && IsPrivate(address)));
        address = isBelieved ? said : address;
        return true;
    }

    /// <summary>As peers join it to <c>:port</c>: IPv6 in brackets.</summary>
    public static string Text(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]" : address.ToString();

    /// <summary>Without the dress of IPv6 that a socket for both kinds puts on an IPv4 address.</summary>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    /// <summary>Loopback, RFC 1918, RFC 6598, RFC 3927, RFC 4193 and RFC 4291 2.5.6.</summary>
    public static bool IsPrivate(IPAddress address)
    {
        if (IPAddress.IsLoopback(address) || address.IsIPv6LinkLocal || address.IsIPv6UniqueLocal)
        {
            return true;
        }

        Span<byte> bytes = stackalloc byte[16];
        return address.AddressFamily == AddressFamily.InterNetwork && address.TryWriteBytes(bytes, out _) && bytes[0] switch
        {
            10 => true,
            100 => (bytes[1] & 0xC0) == 64,
            169 => bytes[1] == 254,
            172 => (bytes[1] & 0xF0) == 16,
            192 => bytes[1] == 168,
            _ => false,
        };
    }

    private static bool TryParse(string text, out IPAddress address)
    {
        address = IPAddress.None;
        var bare = text.StartsWith('[') && text.EndsWith(']') ? text[1..^1] : text;
        var isWritten = bare.Contains(':', StringComparison.Ordinal) || bare.Count(character => character == '.') == 3; // Not 1 for 0.0.0.1.
        if (!isWritten || bare.Contains('%', StringComparison.Ordinal) || !IPAddress.TryParse(bare, out var parsed))
        {
            return false;
        }

        address = Plain(parsed);
        return !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any) && !address.Equals(IPAddress.Broadcast) && !address.IsIPv6Multicast
            && (address.AddressFamily == AddressFamily.InterNetworkV6 || address.GetAddressBytes()[0] is > 0 and < 224);
    }
}
