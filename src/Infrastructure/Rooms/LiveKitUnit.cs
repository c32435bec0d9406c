using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Vtp.Application.Rooms.Signaling;
using Vtp.Domain.Common;

namespace Vtp.Infrastructure.Rooms;

/// <summary>
/// LiveKit: clients connect to it by themselves, with a token of ours (a JWT of HS256); what hosts do to others is told its
/// RoomService by Twirp, and what is recorded its Egress.
/// </summary>
internal sealed class LiveKitUnit(string url, string key, string secret, string recordings, SfuHttp rooms, SfuHttp egress, TimeProvider clock)
    : NoForwardingUnit(SfuRefusals.SpeaksForItself)
{
    // To connect with. LiveKit renews it for who is connected; who was removed must not come back by it.
    private static readonly TimeSpan GoodFor = TimeSpan.FromMinutes(2);

    public override Task<Result<SfuSession>?> JoinAsync(SfuPeer peer, CancellationToken cancellationToken)
    {
        var grants = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["room"] = NameOf(peer.Room),
            ["roomJoin"] = true,
            ["canSubscribe"] = true,
            ["canPublish"] = true,
            ["canPublishData"] = true,
        };
        if (peer.IsStaff)
        {
            grants["roomAdmin"] = true;
        }
        else
        {
            grants["canPublishSources"] = new[] { "camera", "microphone" };
        }

        var metadata = JsonSerializer.Serialize(new { user_id = peer.UserId, role = peer.Role, is_staff = peer.IsStaff });
        return Task.FromResult<Result<SfuSession>?>(new SfuSession(
            RtpCapabilities: null, Peers: null, url, Sign(("sub", peer.Id), ("name", peer.FullName), ("metadata", metadata), ("video", grants))));
    }

    public override Task RemoveAsync(Guid room, string peer, CancellationToken cancellationToken) =>
        CallAsync("RemoveParticipant", room, [("identity", peer)], cancellationToken);

    public override async Task MuteAsync(Guid room, string peer, CancellationToken cancellationToken)
    {
        if (!(await CallAsync("GetParticipant", room, [("identity", peer)], cancellationToken)).TryGet(out var participant, out _)
            || participant.ValueKind != JsonValueKind.Object || !participant.TryGetProperty("tracks", out var tracks) || tracks.ValueKind != JsonValueKind.Array)
        {
            return;
        }

        foreach (var track in tracks.EnumerateArray().Where(IsAudio))
        {
            await CallAsync("MutePublishedTrack", room, [("identity", peer), ("track_sid", track.GetProperty("sid").GetString()), ("muted", true)], cancellationToken);
        }
    }

    public override Task CloseAsync(Guid room, CancellationToken cancellationToken) =>
        rooms.PostAsync("twirp/livekit.RoomService/DeleteRoom", SfuJson.Of(("room", NameOf(room))), Grant("roomCreate"), cancellationToken);

    public override async Task<Result<string>> RecordAsync(Guid room, string file, CancellationToken cancellationToken)
    {
        var output = new Dictionary<string, string>(StringComparer.Ordinal) { ["file_type"] = "MP4", ["filepath"] = $"{recordings.TrimEnd('/')}/{file}.mp4" };
        var answer = await CallEgressAsync("StartRoomCompositeEgress", cancellationToken, ("room_name", NameOf(room)), ("layout", "speaker"), ("file_outputs", new[] { output }));
        if (!answer.TryGet(out var info, out var refusal))
        {
            return refusal == SfuRefusals.Unknown ? SfuRefusals.NobodySends : refusal;
        }

        return (Text(info, "egress_id") ?? Text(info, "egressId")) is { Length: > 0 } id ? id : SfuRefusals.Away;
    }

    public override async Task<Refusal?> StopRecordingAsync(string egress, CancellationToken cancellationToken) =>
        (await CallEgressAsync("StopEgress", cancellationToken, ("egress_id", egress))).Refusal is { } refusal
        && refusal != SfuRefusals.Over && refusal != SfuRefusals.Unknown ? refusal : null;

    private Task<Result<JsonElement>> CallEgressAsync(string method, CancellationToken cancellationToken, params (string Name, object? Value)[] fields) =>
        egress.PostAsync($"twirp/livekit.Egress/{method}", SfuJson.Of(fields), Grant("roomRecord"), cancellationToken);

    private string Grant(string grant) => Sign(("video", new Dictionary<string, object>(StringComparer.Ordinal) { [grant] = true }));

    private static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    // Twirp leaves out what has its default, and audio is the first of its kinds.
    private static bool IsAudio(JsonElement track) =>
        track.ValueKind == JsonValueKind.Object && track.TryGetProperty("sid", out var sid) && sid.ValueKind == JsonValueKind.String
        && (!track.TryGetProperty("type", out var type) || (type.ValueKind == JsonValueKind.String && type.ValueEquals("AUDIO")));

    private static string NameOf(Guid room) => room.ToString();

    private Task<Result<JsonElement>> CallAsync(string method, Guid room, (string Name, object? Value)[] fields, CancellationToken cancellationToken)
    {
        var token = Sign(("video", new Dictionary<string, object>(StringComparer.Ordinal) { ["room"] = NameOf(room), ["roomAdmin"] = true }));
        return rooms.PostAsync($"twirp/livekit.RoomService/{method}", SfuJson.Of([("room", NameOf(room)), .. fields]), token, cancellationToken);
    }

    private string Sign(params (string Name, object? Value)[] claims)
    {
        var now = clock.GetUtcNow();
        var body = SfuJson.Of([("iss", key), ("nbf", now.ToUnixTimeSeconds() - 5), ("exp", (now + GoodFor).ToUnixTimeSeconds()), .. claims]);
        var signed = $"{Base64Url.EncodeToString("""{"alg":"HS256","typ":"JWT"}"""u8)}.{Base64Url.EncodeToString(body.Span)}";
        return $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.ASCII.GetBytes(signed)))}";
    }
}
