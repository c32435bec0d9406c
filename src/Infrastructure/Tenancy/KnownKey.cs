using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;
using Vtp.Application.Common;
using Vtp.Domain.Tenancy.ApiKeys;

namespace Vtp.Infrastructure.Tenancy;

/// <summary>A key as memory holds it: what it may do, and until when. The key itself is not here.</summary>
/// <param name="EndsAt">The earliest of its expiry and revocation; past for a key of something deleted.</param>
internal sealed record KnownKey(ProjectKey Caller, ApiKeyKind Kind, DateTimeOffset EndsAt, IPNetwork[] Networks)
{
    public bool IsAliveAt(DateTimeOffset now) => now < EndsAt;

    public bool Admits(IPAddress? address)
    {
        if (Networks.Length == 0)
        {
            return true;
        }

        if (address is null)
        {
            return false;
        }

        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return Networks.Any(network => network.Contains(plain));
    }
}

/// <summary>SHA-256 of a key, as what dictionaries look up.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct KeyHash(UInt128 High, UInt128 Low)
{
    public static KeyHash Of(ReadOnlySpan<byte> hash) =>
        new(BinaryPrimitives.ReadUInt128BigEndian(hash), BinaryPrimitives.ReadUInt128BigEndian(hash[16..]));

    public byte[] ToBytes()
    {
        var bytes = new byte[32];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, High);
        BinaryPrimitives.WriteUInt128BigEndian(bytes.AsSpan(16), Low);
        return bytes;
    }
}
