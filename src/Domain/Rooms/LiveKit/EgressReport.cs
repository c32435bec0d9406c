using System.Globalization;
using System.Text.Json;

namespace Vtp.Domain.Rooms.LiveKit;

/// <param name="Name">Where the media server put the file.</param>
/// <param name="Error">Why there is none, or not all of it.</param>
public sealed record RecordedFile(string? Name, long? SizeBytes, double? DurationSeconds, string? Error);

/// <summary>What LiveKit says of an egress (<c>EgressInfo</c> of its protocol, as JSON of protocol buffers).</summary>
/// <param name="Recording">Whose name the file has; null when it tells of no file.</param>
/// <param name="Status"><c>recording</c>, <c>stopped</c>, <c>completed</c> or <c>failed</c>.</param>
/// <param name="EndedAt">Null while it runs.</param>
public sealed record EgressReport(string Egress, Guid? Recording, string Status, DateTimeOffset? EndedAt, RecordedFile File)
{
    /// <param name="received">An event.</param>
    /// <param name="now">When an egress ended that does not say it.</param>
    /// <returns>Null: it is not about an egress of a live room.</returns>
    public static EgressReport? Read(LiveKitEvent received, DateTimeOffset now)
    {
        if (!received.Event.StartsWith("egress_", StringComparison.Ordinal))
        {
            return null;
        }

        using var json = JsonDocument.Parse(received.Json);
        if (!json.RootElement.TryGetProperty("egressInfo", out var info) || Text(info, "egressId") is not { Length: > 0 } id)
        {
            return null;
        }

        // What has its default is left out: EGRESS_STARTING.
        var status = Text(info, "status") switch
        {
            "EGRESS_COMPLETE" or "EGRESS_LIMIT_REACHED" => "completed",
            "EGRESS_FAILED" or "EGRESS_ABORTED" => "failed",
            "EGRESS_ENDING" => "stopped",
            _ => "recording",
        };
        var (file, asked) = (First(info, "fileResults"), Text(First(Part(info, "roomComposite"), "fileOutputs"), "filepath"));
        var nanoseconds = Number(file, "duration");
        return new EgressReport(
            id,
            Guid.TryParse(Path.GetFileNameWithoutExtension(asked ?? Text(file, "filename")), out var recording) ? recording : null,
            status,
            status == "recording" ? null : Number(info, "endedAt") is > 0 and var ended ? DateTimeOffset.UnixEpoch.AddTicks(ended / 100) : now,
            new RecordedFile(Text(file, "filename"), Number(file, "size"), nanoseconds / 1e9, Text(info, "error") is { Length: > 0 } error ? error : null));
    }

    private static JsonElement Part(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var part) ? part : default;

    private static JsonElement First(JsonElement json, string name) =>
        Part(json, name) is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() > 0 ? list[0] : default;

    private static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    // JSON of protocol buffers writes 64 bits as text.
    private static long? Number(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value)
        && long.TryParse(value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText(), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
}
