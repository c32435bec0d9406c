using System.Buffers.Binary;

namespace Vtp.Api.Realtime.EngineIo;

/// <summary>
/// One packet on its way out, made once for all clients that are sent it: the frame of a WebSocket (RFC 6455 section 5.2),
/// whose payload is what polling sends.
/// </summary>
internal sealed class OutgoingPacket
{
    private const byte FinalText = 0x81;
    private const byte FinalBinary = 0x82;
    private const byte FinalClose = 0x88;

    private readonly int _header;

    private OutgoingPacket(byte[] frame, int header, bool isBinary, bool isRaw = false) => (Frame, _header, IsBinary, IsRaw) = (frame, header, isBinary, isRaw);

    public static OutgoingPacket Ping { get; } = Text("2"u8);

    public static OutgoingPacket Pong { get; } = Text("3"u8);

    public static OutgoingPacket Probed { get; } = Text("3probe"u8);

    public static OutgoingPacket Noop { get; } = Text("6"u8);

    public static OutgoingPacket Close { get; } = Text("1"u8);

    public byte[] Frame { get; }

    public bool IsBinary { get; }

    /// <summary>A frame that is no packet: it goes to WebSockets alone.</summary>
    public bool IsRaw { get; }

    public ReadOnlySpan<byte> Payload => Frame.AsSpan(_header);

    public static OutgoingPacket Text(ReadOnlySpan<byte> payload) => Of(FinalText, payload, []);

    public static OutgoingPacket Binary(ReadOnlySpan<byte> payload) => Of(FinalBinary, payload, []);

    /// <summary>As Engine.IO 3 sends it in a WebSocket: behind the type of the packet.</summary>
    public OutgoingPacket AsOfVersion3() => Of(FinalBinary, [4], Payload);

    /// <summary>The last frame of a WebSocket.</summary>
    /// <param name="code">RFC 6455 section 7.4.</param>
    public static OutgoingPacket CloseFrame(ushort code)
    {
        var frame = new byte[4];
        (frame[0], frame[1]) = (FinalClose, 2);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), code);
        return new OutgoingPacket(frame, header: 2, isBinary: false, isRaw: true);
    }

    /// <summary>A frame that the WebSocket has made by itself: the answer to a ping.</summary>
    public static OutgoingPacket Raw(ReadOnlySpan<byte> frame) => new(frame.ToArray(), header: 0, isBinary: false, isRaw: true);

    private static OutgoingPacket Of(byte first, ReadOnlySpan<byte> start, ReadOnlySpan<byte> rest)
    {
        var length = start.Length + rest.Length;
        var header = length < 126 ? 2 : length <= ushort.MaxValue ? 4 : 10;
        var frame = GC.AllocateUninitializedArray<byte>(header + length);
        frame[0] = first;
        switch (header)
        {
            case 2:
                frame[1] = (byte)length;
                break;
            case 4:
                frame[1] = 126;
                BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)length);
                break;
            default:
                frame[1] = 127;
                BinaryPrimitives.WriteUInt64BigEndian(frame.AsSpan(2), (ulong)length);
                break;
        }

        start.CopyTo(frame.AsSpan(header));
        rest.CopyTo(frame.AsSpan(header + start.Length));
        return new OutgoingPacket(frame, header, first == FinalBinary);
    }
}
