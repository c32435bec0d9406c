using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vtp.Infrastructure.Relay;

namespace Vtp.Unit.Tracker;

public sealed class RelayEnvelopeTests
{
    [Theory]
    [InlineData("""{"type":"relay_chunk_data","to":"peer-two","request_id":"r-1","payload":{"data":"QUJD"},"timestamp":"2001-01-01T00:00:00Z"}""")]
    [InlineData("""{"payload":{"data":"QUJD"},"timestamp":"never","from":"somebody else","request_id":"r-1","to":"peer-two","type":"relay_chunk_data"}""")]
    [InlineData("""{ "From" : {"a":[1,2,{"to":"x"}]} , "payload":{"data":"QUJD"}, "to":"peer-two","type":"relay_chunk_data","request_id":"r-1","TIMESTAMP":[1,2] }""")]
    [InlineData("""{"type":"relay_chunk_data","to":"peer-two","request_id":"r-1","payload":{"data":"QUJD"},"from":null,"timestamp":null}""")]
    [InlineData("""  {"timestamp":"a,b","from":"},{","type":"relay_chunk_data","to":"peer-two","payload":{"data":"QUJD"},"request_id":"r-1"}  """)]
    public void The_members_are_read_wherever_they_stand_and_what_the_sender_says_of_itself_is_gone(string text)
    {
        var (facts, rest) = Read(text);

        facts.Kind.Should().Be(RelayKind.Other);
        facts.To.Should().Be("peer-two");
        text[facts.RequestId].Should().Be("\"r-1\"");
        rest.Select(member => member.Key).Should().BeEquivalentTo("type", "to", "request_id", "payload");
        rest["payload"]!["data"]!.GetValue<string>().Should().Be("QUJD");
    }

    [Theory]
    [InlineData("relay_chunk_request", RelayKind.Request)]
    [InlineData("relay_ping", RelayKind.Ping)]
    [InlineData("relay_chunk_data", RelayKind.Other)]
    [InlineData("something_of_next_year", RelayKind.Other)]
    internal void What_a_message_is_its_type_says(string type, RelayKind kind) =>
        Read($$"""{"type":"{{type}}","to":"peer-two"}""").Facts.Kind.Should().Be(kind);

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"to":"peer-two"}""")]
    [InlineData("""{"type":"relay_chunk_data"}""")]
    [InlineData("""{"type":"","to":"peer-two"}""")]
    [InlineData("""{"type":"relay_chunk_data","to":""}""")]
    [InlineData("""{"type":1,"to":"peer-two"}""")]
    [InlineData("""{"type":"relay_chunk_data","to":["peer-two"]}""")]
    [InlineData("""{"type":"relay_chunk_data","to":"peer-two","request_id":7}""")]
    [InlineData("{\"type\":\"relay_chunk_data\",\"to\":\"peer-two\"")]
    [InlineData("""{"type":"relay_chunk_data","to":"peer-two"} {}""")]
    [InlineData("""{"type":"relay_chunk_data","to":"peer-two",}""")]
    [InlineData("""{"type":"relay_chunk_data","to":"\ud800"}""")]
    [InlineData("""{"type":"relay_chunk_request","to":"peer-two","Type":"relay_chunk_data"}""")]
    [InlineData("""{"type":"relay_chunk_data","to":"peer-two","TO":"peer-three"}""")]
    [InlineData("""{"type":"relay_chunk_data","to":"peer-two","from":"a","fRoM":"b"}""")]
    [InlineData("""{"type":"relay_chunk_data","to":"peer-two","\u0066rom":"b"}""")]
    [InlineData("""{"type":"relay_chunk_data","to":"peer-two","time\u017ftamp":"b"}""")]
    [InlineData("""{"type":"relay_chunk_data","to":"peer-two","timeſtamp":"b"}""")]
    public void What_another_parser_might_read_otherwise_is_refused(string text) => Read(text).Facts.Kind.Should().Be(RelayKind.Malformed);

    [Fact]
    public void Names_and_ids_that_are_too_long_are_refused()
    {
        Read($$"""{"type":"relay_chunk_data","to":"{{new string('x', 256)}}"}""").Facts.Kind.Should().Be(RelayKind.Malformed);
        Read($$"""{"type":"{{new string('x', 65)}}","to":"peer-two"}""").Facts.Kind.Should().Be(RelayKind.Malformed);
        Read($$"""{"type":"relay_chunk_data","to":"peer-two","request_id":"{{new string('x', 129)}}"}""").Facts.Kind.Should().Be(RelayKind.Malformed);
        Read($$"""{"type":"relay_chunk_data","to":"peer-two","payload":{{new string('[', 100)}}{{new string(']', 100)}}}""").Facts.Kind.Should().Be(RelayKind.Malformed);
    }

    [Fact]
    public void Whatever_is_sent_is_refused_or_remains_the_same_json_without_the_two_members()
    {
        const string Sound = """{"from":"x","type":"relay_chunk_data","to":"peer-two","request_id":"r","payload":{"data":"QUJDRA==","chunk_index":3},"timestamp":"2001-01-01T00:00:00Z"}""";
        var random = new Random(16);
        var accepted = 0;
        for (var round = 0; round < 20_000; round++)
        {
            var text = Encoding.UTF8.GetBytes(Sound);
            for (var changes = random.Next(0, 4); changes > 0; changes--)
            {
                text[random.Next(text.Length)] = (byte)"{}[]\",: \\ue\n0xft"[random.Next(16)];
            }

            var before = text.ToArray();
            var facts = RelayEnvelope.Read(text);
            if (facts.Kind != RelayKind.Malformed)
            {
                accepted++;
                var (left, right) = (Members(before), Members(text));
                right.Should().BeEquivalentTo(left.Where(member => member.Name.ToUpperInvariant() is not ("FROM" or "TIMESTAMP")), Encoding.UTF8.GetString(before));
            }
        }

        accepted.Should().BeGreaterThan(1000);
    }

    private static (RelayFacts Facts, JsonObject Json) Read(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var facts = RelayEnvelope.Read(bytes);
        if (facts.Kind == RelayKind.Malformed)
        {
            facts.Fault.Should().NotBeNullOrEmpty();
            return (facts, []);
        }

        // As it goes out, behind what the relay writes itself.
        return (facts, JsonNode.Parse($"{{{Encoding.UTF8.GetString(bytes.AsSpan(facts.Body))}")!.AsObject());
    }

    private static List<(string Name, string Value)> Members(byte[] text) =>
        [.. JsonSerializer.Deserialize<JsonElement>(text).EnumerateObject().Select(member => (member.Name, member.Value.GetRawText()))];
}
