using System.Runtime.InteropServices;
using System.Text.Json;

namespace Vtp.Infrastructure.Relay;

/// <summary>What a message is to the relay; everything else about it is between the two peers.</summary>
internal enum RelayKind
{
    /// <summary>Not an envelope.</summary>
    Malformed,

    /// <summary>Asks another peer for a chunk: all that an id without a registration may send.</summary>
    Request,

    /// <summary>Answered by the relay itself.</summary>
    Ping,

    /// <summary>Carried to its target as it is, whatever it says.</summary>
    Other,
}

/// <param name="To">The target; empty for a ping.</param>
/// <param name="RequestId">Where its value stands in the text, quotes included; empty when there is none.</param>
/// <param name="Body">Where the text goes on behind its first brace.</param>
/// <param name="Fault">Why it is malformed, for whoever sent it.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct RelayFacts(RelayKind Kind, string To, Range RequestId, int Body, string? Fault);

/// <summary>
/// Reads the envelope around a payload that it never parses for itself nor copies: member names wherever they stand, and
/// <c>from</c> and <c>timestamp</c> are blanked out where they stand, so that what the relay says of both stands alone. A name
/// that comes twice, in whatever case, is refused: the receiver's parser might believe the other one.
/// </summary>
internal static class RelayEnvelope
{
    public const int LongestRequestId = 128;
    public const int LongestPeerId = 255;
    private const int LongestType = 64;

    private static readonly string[] Names = ["type", "to", "request_id", "payload", "from", "timestamp"];

    [Flags]
    private enum Members
    {
        None = 0,
        Type = 1,
        To = 2,
        RequestId = 4,
        Payload = 8,
        From = 16,
        Timestamp = 32,
    }

    /// <param name="text">One whole message; what the sender said of from and timestamp is blanked.</param>
    public static RelayFacts Read(Span<byte> text)
    {
        try
        {
            return ReadMembers(text);
        }
        catch (JsonException)
        {
            return Malformed("The message is not a JSON object.");
        }
        catch (InvalidOperationException)
        {
            return Malformed("A string of the envelope is not valid Unicode.");
        }
    }

    private static RelayFacts ReadMembers(Span<byte> text)
    {
        var reader = new Utf8JsonReader(text);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return Malformed("The message is not a JSON object.");
        }

        var body = (int)reader.BytesConsumed;
        var seen = Members.None;
        string? type = null, to = null;
        Range requestId = default, from = default, timestamp = default;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueIsEscaped || reader.ValueSpan.ContainsAnyExceptInRange((byte)' ', (byte)'~'))
            {
                return Malformed("Names of the envelope are written in plain ASCII.");
            }

            var (start, member) = ((int)reader.TokenStartIndex, MemberOf(reader.ValueSpan));
            if ((seen & member) != Members.None)
            {
                return Malformed("A name stands in the envelope twice.");
            }

            seen |= member;
            reader.Read();
            switch (member)
            {
                case Members.Type when reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length <= LongestType:
                    type = reader.GetString();
                    break;
                case Members.To when reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length <= LongestPeerId * 6:
                    to = reader.GetString();
                    break;
                case Members.RequestId when reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length <= LongestRequestId:
                    requestId = (int)reader.TokenStartIndex..(int)reader.BytesConsumed;
                    break;
                case Members.Type or Members.To:
                    return Malformed("type and to are strings, type of at most 64 characters and to of at most 255.");
                case Members.RequestId when reader.TokenType != JsonTokenType.Null:
                    return Malformed("request_id is a string of at most 128 characters.");
                default:
                    reader.Skip();
                    break;
            }

            var whole = start..(int)reader.BytesConsumed;
            (from, timestamp) = member switch
            {
                Members.From => (whole, timestamp),
                Members.Timestamp => (from, whole),
                _ => (from, timestamp),
            };
        }

        reader.Read(); // Throws for what stands behind the object.
        if (string.IsNullOrEmpty(type))
        {
            return Malformed("type is missing.");
        }

        var kind = type switch
        {
            "relay_chunk_request" => RelayKind.Request,
            "relay_ping" => RelayKind.Ping,
            _ => RelayKind.Other,
        };
        if (kind != RelayKind.Ping && (string.IsNullOrEmpty(to) || to.Length > LongestPeerId))
        {
            return Malformed("to is missing or longer than 255 characters.");
        }

        Blank(text, from);
        Blank(text, timestamp);
        return new RelayFacts(kind, to ?? "", requestId, body, Fault: null);
    }

    private static RelayFacts Malformed(string fault) => new(RelayKind.Malformed, "", default, 0, fault);

    private static Members MemberOf(ReadOnlySpan<byte> name)
    {
        for (var index = 0; index < Names.Length; index++)
        {
            if (System.Text.Ascii.EqualsIgnoreCase(name, Names[index]))
            {
                return (Members)(1 << index);
            }
        }

        return Members.None;
    }

    /// <summary>A member and one comma beside it become spaces, which JSON does not count. Another member always remains.</summary>
    private static void Blank(Span<byte> text, Range member)
    {
        var (start, end) = (member.Start.Value, member.End.Value);
        if (end == 0)
        {
            return;
        }

        var next = end + text[end..].IndexOfAnyExcept(" \t\r\n"u8);
        if (text[next] == (byte)',')
        {
            end = next + 1;
        }
        else
        {
            start = text[..start].LastIndexOf((byte)',');
        }

        text[start..end].Fill((byte)' ');
    }
}
