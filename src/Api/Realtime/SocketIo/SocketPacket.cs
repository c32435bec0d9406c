using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Vtp.Api.Realtime.EngineIo;

namespace Vtp.Api.Realtime.SocketIo;

internal enum SocketPacketType
{
    Connect = 0,
    Disconnect = 1,
    Event = 2,
    Ack = 3,
    ConnectError = 4,
    BinaryEvent = 5,
    BinaryAck = 6,
}

/// <summary>
/// One packet of Socket.IO, protocol 5, and 4 where Engine.IO 3 carries it:
/// <c>type [attachments-] [/namespace,] [id] [JSON]</c>.
/// </summary>
/// <param name="Attachments">So many binary messages follow it.</param>
/// <param name="Id">By which it is acknowledged.</param>
/// <param name="Data">JSON, or nothing.</param>
internal sealed record SocketPacket(SocketPacketType Type, string Namespace, int Attachments, int? Id, ReadOnlyMemory<byte> Data)
{
    public const int MaximumAttachments = 10;

    private const int MaximumNamespace = 100;

    /// <returns>Null for what is none. The JSON is not read.</returns>
    public static SocketPacket? Read(ReadOnlyMemory<byte> text)
    {
        if (text.IsEmpty || text.Span[0] is < (byte)'0' or > (byte)'6')
        {
            return null;
        }

        var type = (SocketPacketType)(text.Span[0] - '0');
        var rest = text[1..];
        var attachments = 0;
        if (type is SocketPacketType.BinaryEvent or SocketPacketType.BinaryAck)
        {
            var dash = rest.Span.IndexOf((byte)'-');
            if (dash is < 1 or > 3 || !int.TryParse(rest.Span[..dash], NumberStyles.None, CultureInfo.InvariantCulture, out attachments) || attachments > MaximumAttachments)
            {
                return null;
            }

            rest = rest[(dash + 1)..];
        }

        var name = "/";
        if (!rest.IsEmpty && rest.Span[0] == (byte)'/')
        {
            var comma = rest.Span.IndexOf((byte)',');
            var end = comma < 0 ? rest.Length : comma;
            if (end > MaximumNamespace)
            {
                return null;
            }

            // Older clients put a query behind it.
            name = Encoding.UTF8.GetString(rest.Span[..end]);
            name = name.IndexOf('?', StringComparison.Ordinal) is >= 0 and var query ? name[..query] : name;
            rest = comma < 0 ? default : rest[(comma + 1)..];
        }

        int? id = null;
        if (!rest.IsEmpty && char.IsAsciiDigit((char)rest.Span[0]))
        {
            if (!Utf8Parser.TryParse(rest.Span, out int number, out var digits) || number < 0)
            {
                return null;
            }

            (id, rest) = (number, rest[digits..]);
        }

        return new SocketPacket(type, name, attachments, id, rest);
    }

    /// <param name="type">Of text; attachments make it binary.</param>
    /// <param name="space">The namespace.</param>
    /// <param name="id">By which it is acknowledged.</param>
    /// <param name="json">Parts of it, one behind the other.</param>
    /// <param name="attachments">That the JSON refers to.</param>
    public static IReadOnlyList<OutgoingPacket> Write(
        SocketPacketType type, string space, int? id, ReadOnlySpan<byte> json, IReadOnlyList<ReadOnlyMemory<byte>> attachments)
    {
        var text = new ArrayBufferWriter<byte>(json.Length + 64);
        var shown = attachments.Count == 0 ? type : type == SocketPacketType.Event ? SocketPacketType.BinaryEvent : SocketPacketType.BinaryAck;
        text.Write([(byte)'4', (byte)('0' + (int)shown)]);
        if (attachments.Count > 0)
        {
            Number(attachments.Count);
            text.Write("-"u8);
        }

        if (space != "/")
        {
            Encoding.UTF8.GetBytes(space, text);
            text.Write(","u8);
        }

        if (id is { } number)
        {
            Number(number);
        }

        text.Write(json);
        var first = OutgoingPacket.Text(text.WrittenSpan);
        return attachments.Count == 0 ? [first] : [first, .. attachments.Select(attachment => OutgoingPacket.Binary(attachment.Span))];

        void Number(int value)
        {
            Utf8Formatter.TryFormat(value, text.GetSpan(11), out var written);
            text.Advance(written);
        }
    }

    /// <summary><c>["name",data,"mark"]</c></summary>
    /// <param name="name">Of the event.</param>
    /// <param name="data">JSON: nothing, one value, or several with commas between them.</param>
    /// <param name="mark">How far its receiver has come with it; null for none.</param>
    public static byte[] Arguments(string name, ReadOnlySpan<byte> data, string? mark)
    {
        var json = new ArrayBufferWriter<byte>(data.Length + 64);
        json.Write("["u8);
        Text(name);
        if (!data.IsEmpty)
        {
            json.Write(","u8);
            json.Write(data);
        }

        if (mark is not null)
        {
            json.Write(","u8);
            Text(mark);
        }

        json.Write("]"u8);
        return json.WrittenSpan.ToArray();

        void Text(string text)
        {
            var encoded = JsonEncodedText.Encode(text);
            json.Write("\""u8);
            json.Write(encoded.EncodedUtf8Bytes);
            json.Write("\""u8);
        }
    }
}
