using System.Buffers;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Vtp.Api.Realtime.EngineIo;
using Vtp.Api.Realtime.SocketIo;

namespace Vtp.Unit.Realtime;

public sealed class SocketPacketTests
{
    [Theory]
    [InlineData("0", 0, "/", 0, null, "")]
    [InlineData("0{\"token\":\"123\"}", 0, "/", 0, null, "{\"token\":\"123\"}")]
    [InlineData("0/admin,{\"a\":1}", 0, "/admin", 0, null, "{\"a\":1}")]
    [InlineData("0/admin", 0, "/admin", 0, null, "")]
    [InlineData("0/admin?token=x,", 0, "/admin", 0, null, "")]
    [InlineData("1/admin,", 1, "/admin", 0, null, "")]
    [InlineData("2[\"hello\",1]", 2, "/", 0, null, "[\"hello\",1]")]
    [InlineData("2/admin,456[\"project:delete\",123]", 2, "/admin", 0, 456, "[\"project:delete\",123]")]
    [InlineData("3/admin,456[]", 3, "/admin", 0, 456, "[]")]
    [InlineData("4/admin,{\"message\":\"Not authorized\"}", 4, "/admin", 0, null, "{\"message\":\"Not authorized\"}")]
    [InlineData("51-[\"hello\",{\"_placeholder\":true,\"num\":0}]", 5, "/", 1, null, "[\"hello\",{\"_placeholder\":true,\"num\":0}]")]
    [InlineData("51-/admin,456[\"project:delete\",{\"_placeholder\":true,\"num\":0}]", 5, "/admin", 1, 456, "[\"project:delete\",{\"_placeholder\":true,\"num\":0}]")]
    [InlineData("61-/admin,456[{\"_placeholder\":true,\"num\":0}]", 6, "/admin", 1, 456, "[{\"_placeholder\":true,\"num\":0}]")]
    public void The_examples_of_the_protocol_are_read(string text, int type, string space, int attachments, int? id, string data)
    {
        var packet = SocketPacket.Read(Encoding.UTF8.GetBytes(text))!;
        ((int)packet.Type, packet.Namespace, packet.Attachments, packet.Id, Encoding.UTF8.GetString(packet.Data.Span)).Should().Be((type, space, attachments, id, data));
    }

    [Theory]
    [InlineData("")]
    [InlineData("7")]
    [InlineData("x")]
    [InlineData("5[]")]
    [InlineData("5-[]")]
    [InlineData("511-[]")]
    [InlineData("5-1-[]")]
    [InlineData("299999999999[]")]
    public void What_is_no_packet_is_not_read(string text) => SocketPacket.Read(Encoding.UTF8.GetBytes(text)).Should().BeNull();

    [Fact]
    public void Whatever_comes_is_read_or_refused()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes =>
        {
            _ = SocketPacket.Read(bytes) is { } packet ? SocketEvent.Read(packet, []) : null;
            foreach (var version in new[] { 3, 4 })
            {
                _ = PollingPayload.Read(bytes, version, isBinary: false, maximum: 100);
                _ = PollingPayload.Read(bytes, version, isBinary: true, maximum: 100);
            }
        }).QuickCheckThrowOnFailure();
        Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>>(), ArbMap.Default.ArbFor<NonNegativeInt>(), (text, number) =>
        {
            foreach (var begun in new[] { $"2{text.Get}", $"5{number.Get}-{text.Get}", $"2/{text.Get},{number.Get}[\"a\"]", $"2[\"{text.Get}\"]", $"{number.Get}:4{text.Get}" })
            {
                var bytes = Encoding.UTF8.GetBytes(begun);
                _ = SocketPacket.Read(bytes) is { } packet ? SocketEvent.Read(packet, []) : null;
                _ = PollingPayload.Read(bytes, 3, isBinary: false, maximum: 100);
            }
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public void A_payload_that_was_written_is_read_again(int version) =>
        Prop.ForAll(ArbMap.Default.ArbFor<NonEmptyArray<(bool IsBinary, byte[] Bytes, string Text)>>(), made =>
        {
            var packets = made.Get.Select(one => (one.IsBinary, Data: one.IsBinary ? one.Bytes ?? [] : Encoding.UTF8.GetBytes((one.Text ?? "").Replace("\u001e", "", StringComparison.Ordinal)))).ToList();
            var body = new ArrayBufferWriter<byte>();
            PollingPayload.Write(body, packets.Select(one => one.IsBinary ? OutgoingPacket.Binary(one.Data) : OutgoingPacket.Text([(byte)'4', .. one.Data])), version);
            var read = PollingPayload.Read(body.WrittenMemory, version, isBinary: false, maximum: 1000)!;
            read.Select(one => (one.IsBinary, Convert.ToHexString(one.Data.Span))).Should().Equal(packets.Select(one => (one.IsBinary, Convert.ToHexString(one.Data))));
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(0, 2)]
    [InlineData(125, 2)]
    [InlineData(126, 4)]
    [InlineData(65535, 4)]
    [InlineData(65536, 10)]
    public void Frames_say_how_long_they_are(int length, int header)
    {
        var packet = OutgoingPacket.Text(new byte[length]);
        packet.Frame.Should().HaveCount(header + length);
        packet.Payload.Length.Should().Be(length);
        packet.Frame[1].Should().Be((byte)(header == 2 ? length : header == 4 ? 126 : 127));
    }
}
