using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Vtp.Domain.Rooms.LiveKit;

/// <summary>What LiveKit told, as it told it. Names that VTP does not know, and any order, are fine.</summary>
/// <param name="Id">LiveKit's; of versions that send none, the hash of the body, which is the same at every attempt.</param>
/// <param name="RoomName">Null when it is about no room.</param>
/// <param name="CreatedAt">LiveKit's time; null when it told none.</param>
/// <param name="Json">The whole body.</param>
public sealed partial record LiveKitEvent(string Id, string Event, string? RoomName, DateTimeOffset? CreatedAt, string Json)
{
    private const int MaximumName = 200;

    /// <returns>Null when the body is no event.</returns>
    public static LiveKitEvent? Read(ReadOnlySpan<byte> body)
    {
        try
        {
            var json = JsonSerializer.Deserialize<JsonElement>(body);
            if (json.ValueKind != JsonValueKind.Object || Text(json, "event") is not { Length: > 0 and <= MaximumName } name)
            {
                return null;
            }

            return new LiveKitEvent(
                Text(json, "id") is { Length: > 0 and <= MaximumName } id ? id : Convert.ToHexStringLower(SHA256.HashData(body)),
                name,
                Text(Part(json, "room"), "name") ?? Text(Part(json, "egressInfo"), "roomName") ?? Text(Part(json, "ingressInfo"), "roomName"),
                Time(json),
                EscapedNul().Replace(Encoding.UTF8.GetString(body), @"${escaped}\ufffd"));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static JsonElement Part(JsonElement json, string name) => json.TryGetProperty(name, out var part) ? part : default;

    // PostgreSQL's text and jsonb hold no NUL.
    private static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!.Replace('\0', '\uFFFD')
            : null;

    // JSON of protocol buffers writes 64 bits as text.
    private static DateTimeOffset? Time(JsonElement json)
    {
        var value = json.TryGetProperty("createdAt", out var camel) ? camel : Part(json, "created_at");
        var text = value.ValueKind == JsonValueKind.String ? value.GetString() : value.ValueKind == JsonValueKind.Number ? value.GetRawText() : null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and < 253402300799
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;
    }

    [GeneratedRegex(@"(?<!\\)(?<escaped>(\\\\)*)\\u0000", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex EscapedNul();
}
