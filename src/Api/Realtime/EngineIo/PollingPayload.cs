using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Vtp.Api.Realtime.EngineIo;

/// <summary>One packet of a client.</summary>
/// <param name="IsBinary">Then it is a message, and the data is all of it.</param>
internal readonly record struct IncomingPacket(char Type, ReadOnlyMemory<byte> Data, bool IsBinary)
{
    public const char Message = '4';

    /// <param name="text">A type and its data.</param>
    public static bool TryRead(ReadOnlyMemory<byte> text, out IncomingPacket packet)
    {
        packet = default;
        if (text.IsEmpty || text.Span[0] is < (byte)'0' or > (byte)'6')
        {
            return false;
        }

        packet = new IncomingPacket((char)text.Span[0], text[1..], IsBinary: false);
        return true;
    }
}

/// <summary>Several packets in one body. Version 4 puts a separator between them, version 3 the length of each before it.</summary>
internal static class PollingPayload
{
    private const byte Separator = 0x1e;
    private const byte Encoded = (byte)'b';

    public static void Write(IBufferWriter<byte> body, IEnumerable<OutgoingPacket> packets, int version)
    {
        var isFirst = true;
        foreach (var packet in packets)
        {
            if (version == 4)
            {
                if (!isFirst)
                {
                    body.Write([Separator]);
                }

                if (packet.IsBinary)
                {
                    body.Write([Encoded]);
                    WriteBase64(body, packet.Payload);
                }
                else
                {
                    body.Write(packet.Payload);
                }
            }
            else if (packet.IsBinary)
            {
                WriteNumber(body, 2 + ((packet.Payload.Length + 2) / 3 * 4));
                body.Write(":b4"u8);
                WriteBase64(body, packet.Payload);
            }
            else
            {
                // In UTF-16 units, as JavaScript counts.
                WriteNumber(body, Encoding.UTF8.GetCharCount(packet.Payload));
                body.Write(":"u8);
                body.Write(packet.Payload);
            }

            isFirst = false;
        }
    }

    /// <param name="body">Of a POST.</param>
    /// <param name="version">Of the protocol.</param>
    /// <param name="isBinary">Its type is application/octet-stream.</param>
    /// <param name="maximum">More packets are an attack.</param>
    /// <returns>Null when it is malformed.</returns>
    public static List<IncomingPacket>? Read(ReadOnlyMemory<byte> body, int version, bool isBinary, int maximum)
    {
        var packets = new List<IncomingPacket>();
        while (!body.IsEmpty)
        {
            var isPacketBinary = false;
            ReadOnlyMemory<byte> packet;
            if (version == 4)
            {
                var end = body.Span.IndexOf(Separator);
                packet = end < 0 ? body : body[..end];
                body = end < 0 ? default : body[(end + 1)..];
                if (end >= 0 && body.IsEmpty)
                {
                    return null;
                }
            }
            else if (!(isBinary ? TryTakeOctets(ref body, out packet, out isPacketBinary) : TryTakeText(ref body, out packet)))
            {
                return null;
            }

            if (packets.Count == maximum || ReadOne(packet, version, isPacketBinary) is not { } read)
            {
                return null;
            }

            packets.Add(read);
        }

        return packets.Count == 0 ? null : packets;
    }

    private static IncomingPacket? ReadOne(ReadOnlyMemory<byte> packet, int version, bool isBinary)
    {
        if (isBinary)
        {
            return !packet.IsEmpty && packet.Span[0] == 4 ? new IncomingPacket(IncomingPacket.Message, packet[1..], IsBinary: true) : null;
        }

        if (packet.IsEmpty || packet.Span[0] != Encoded)
        {
            return IncomingPacket.TryRead(packet, out var text) ? text : null;
        }

        // Version 3 names the type, which has to be a message.
        var encoded = version == 4 ? packet[1..] : packet.Length >= 2 && packet.Span[1] == (byte)'4' ? packet[2..] : default;
        var decoded = new byte[Base64.GetMaxDecodedFromUtf8Length(encoded.Length)];
        return Base64.DecodeFromUtf8(encoded.Span, decoded, out _, out var length) == OperationStatus.Done
            ? new IncomingPacket(IncomingPacket.Message, decoded.AsMemory(0, length), IsBinary: true)
            : null;
    }

    /// <summary><c>6:4hello</c>; the length counts UTF-16 units.</summary>
    private static bool TryTakeText(ref ReadOnlyMemory<byte> body, out ReadOnlyMemory<byte> packet)
    {
        packet = default;
        var colon = body.Span.IndexOf((byte)':');
        if (colon is < 1 or > 9 || !int.TryParse(body.Span[..colon], NumberStyles.None, CultureInfo.InvariantCulture, out var units))
        {
            return false;
        }

        var rest = body[(colon + 1)..];
        var (at, counted) = (0, 0);
        while (counted < units)
        {
            if (Rune.DecodeFromUtf8(rest.Span[at..], out var rune, out var length) != OperationStatus.Done)
            {
                return false;
            }

            at += length;
            counted += rune.Utf16SequenceLength;
        }

        packet = rest[..at];
        body = rest[at..];
        return counted == units;
    }

    /// <summary>0 for text or 1 for binary, the digits of the length as bytes, 255, the packet.</summary>
    private static bool TryTakeOctets(ref ReadOnlyMemory<byte> body, out ReadOnlyMemory<byte> packet, out bool isBinary)
    {
        (packet, isBinary) = (default, body.Span[0] == 1);
        var end = body.Span.IndexOf((byte)255);
        if (body.Span[0] > 1 || end is < 2 or > 10)
        {
            return false;
        }

        var length = 0;
        foreach (var digit in body.Span[1..end])
        {
            if (digit > 9)
            {
                return false;
            }

            length = (length * 10) + digit;
        }

        var rest = body[(end + 1)..];
        if (length > rest.Length)
        {
            return false;
        }

        packet = rest[..length];
        body = rest[length..];
        return true;
    }

    private static void WriteBase64(IBufferWriter<byte> body, ReadOnlySpan<byte> bytes)
    {
        var span = body.GetSpan(Base64.GetMaxEncodedToUtf8Length(bytes.Length));
        Base64.EncodeToUtf8(bytes, span, out _, out var written);
        body.Advance(written);
    }

    private static void WriteNumber(IBufferWriter<byte> body, int number)
    {
        Utf8Formatter.TryFormat(number, body.GetSpan(11), out var written);
        body.Advance(written);
    }
}
