using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Vtp.Application.Tracker.Relay;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Infrastructure.Relay;

internal enum RelayFrameKind : byte
{
    /// <summary>A message for a peer of the receiving node.</summary>
    Message = 1,

    /// <summary>What became of a message that the receiving node had sent.</summary>
    Outcome = 2,

    /// <summary>A peer has connected to another node, and is here no more.</summary>
    Replaced = 3,
}

/// <summary>
/// What nodes say to each other, by whatever way: kind, the node that says it, number, peer, sender's id, and what the kind
/// carries. Numbers are big-endian; texts come after their length in two bytes.
/// </summary>
/// <param name="Node">Which says it.</param>
/// <param name="Number">Of the message, by which its outcome is told; of no meaning otherwise.</param>
/// <param name="Peer">Whom it is for, or about.</param>
/// <param name="From">The sender's id, of a message.</param>
/// <param name="Body">Of a message its text; of an outcome the code in two bytes, 0 for good; else the link's id.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct RelayFrame(RelayFrameKind Kind, Guid Node, long Number, RelayPeer Peer, string From, ReadOnlyMemory<byte> Body)
{
    private const int Fixed = 1 + 16 + 8 + 16 + 2 + 2;

    public byte[] ToBytes()
    {
        var (peer, from) = (Encoding.UTF8.GetBytes(Peer.PeerId), Encoding.UTF8.GetBytes(From));
        var bytes = new byte[Fixed + peer.Length + from.Length + Body.Length];
        bytes[0] = (byte)Kind;
        Node.TryWriteBytes(bytes.AsSpan(1));
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(17), Number);
        Peer.Project.Value.TryWriteBytes(bytes.AsSpan(25));
        var rest = bytes.AsSpan(41);
        rest = Write(rest, peer);
        rest = Write(rest, from);
        Body.Span.CopyTo(rest);
        return bytes;
    }

    /// <returns>Null for what no node of this version says.</returns>
    public static RelayFrame? Read(ReadOnlyMemory<byte> bytes)
    {
        var span = bytes.Span;
        if (span.Length < Fixed || span[0] is < 1 or > 3)
        {
            return null;
        }

        var rest = 41;
        return Text(span, ref rest) is { } peer && Text(span, ref rest) is { } from
            ? new RelayFrame(
                (RelayFrameKind)span[0],
                new Guid(span[1..17]),
                BinaryPrimitives.ReadInt64BigEndian(span[17..]),
                new RelayPeer(new ProjectId(new Guid(span[25..41])), peer),
                from,
                bytes[rest..])
            : null;
    }

    private static Span<byte> Write(Span<byte> rest, byte[] text)
    {
        BinaryPrimitives.WriteUInt16BigEndian(rest, (ushort)text.Length);
        text.CopyTo(rest[2..]);
        return rest[(2 + text.Length)..];
    }

    private static string? Text(ReadOnlySpan<byte> bytes, ref int at)
    {
        if (bytes.Length < at + 2)
        {
            return null;
        }

        var length = BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);
        if (bytes.Length < at + 2 + length)
        {
            return null;
        }

        var text = Encoding.UTF8.GetString(bytes.Slice(at + 2, length));
        at += 2 + length;
        return text;
    }
}

/// <summary>A way from node to node. Frames may be lost with the node that they are for, and never come twice.</summary>
internal interface IRelayTransport
{
    /// <param name="node">This one.</param>
    /// <param name="received">Hears of each frame that came for it, in the order of each sender's.</param>
    void Listen(Guid node, Action<ReadOnlyMemory<byte>> received);

    /// <returns>False: it is not known to have arrived anywhere.</returns>
    ValueTask<bool> SendAsync(Guid node, byte[] frame, CancellationToken cancellationToken);
}
