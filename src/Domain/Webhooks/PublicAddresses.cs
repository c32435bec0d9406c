using System.Net;
using System.Net.Sockets;

namespace Vtp.Domain.Webhooks;

/// <summary>Which addresses belong to the internet rather than to us, our neighbours or our cloud.</summary>
public static class PublicAddresses
{
    // The IANA special-purpose registry (RFC 6890 and its successors), and two addresses that clouds keep for themselves.
    private static readonly IPNetwork[] SpecialV4 =
    [
        IPNetwork.Parse("0.0.0.0/8"),
        IPNetwork.Parse("10.0.0.0/8"),
        IPNetwork.Parse("100.64.0.0/10"), // CGNAT; Alibaba's metadata
        IPNetwork.Parse("127.0.0.0/8"),
        IPNetwork.Parse("168.63.129.16/32"), // Azure's host
        IPNetwork.Parse("169.254.0.0/16"), // link-local; the metadata of most clouds
        IPNetwork.Parse("172.16.0.0/12"),
        IPNetwork.Parse("192.0.0.0/24"), // protocol assignments; Oracle's metadata
        IPNetwork.Parse("192.0.2.0/24"),
        IPNetwork.Parse("192.88.99.0/24"), // relays of 6to4
        IPNetwork.Parse("192.168.0.0/16"),
        IPNetwork.Parse("198.18.0.0/15"), // benchmarks
        IPNetwork.Parse("198.51.100.0/24"),
        IPNetwork.Parse("203.0.113.0/24"),
        IPNetwork.Parse("224.0.0.0/4"), // multicast
        IPNetwork.Parse("240.0.0.0/4"), // reserved, broadcast
    ];

    // What is not of the one block that is given out is loopback, unspecified, private, link- or site-local, multicast, discarded,
    // or holds an IPv4 address.
    private static readonly IPNetwork GlobalV6 = IPNetwork.Parse("2000::/3");

    private static readonly IPNetwork[] SpecialV6 =
    [
        IPNetwork.Parse("2001::/23"), // protocol assignments; Teredo, which holds an IPv4 address; benchmarks
        IPNetwork.Parse("2001:db8::/32"),
        IPNetwork.Parse("2002::/16"), // 6to4, which holds an IPv4 address
        IPNetwork.Parse("3ffe::/16"), // given back
        IPNetwork.Parse("3fff::/20"),
    ];

    // Networks without IPv4 reach it by this: what counts is the address within. Its local kind (64:ff9b:1::/48) is refused.
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");

    public static bool Contain(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            return Contain(address.MapToIPv4());
        }

        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            return !Array.Exists(SpecialV4, network => network.Contains(address));
        }

        return Nat64.Contains(address)
            ? Contain(new IPAddress(address.GetAddressBytes().AsSpan(12)))
            : GlobalV6.Contains(address) && !Array.Exists(SpecialV6, network => network.Contains(address));
    }
}
