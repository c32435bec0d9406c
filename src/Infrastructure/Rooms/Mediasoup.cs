using System.Text.Json;
using Vtp.Application.Rooms.Signaling;
using Vtp.Domain.Common;

namespace Vtp.Infrastructure.Rooms;

/// <summary>The mediasoup service over HTTP. Its rooms are known to it by the ids that this server gave them.</summary>
internal sealed class Mediasoup(SfuHttp http) : ISelectiveForwardingUnit
{
    public async Task<Result<SfuSession>?> JoinAsync(SfuPeer peer, CancellationToken cancellationToken)
    {
        var path = $"rooms/{peer.Room}/peers";
        var body = SfuJson.Of(
            ("peerId", peer.Id),
            ("userId", peer.UserId),
            ("email", peer.Email),
            ("fullName", peer.FullName),
            ("role", peer.Role),
            ("isProducer", peer.IsProducer),
            ("roomName", peer.RoomName));
        var answer = await http.PostAsync(path, body, token: null, cancellationToken);
        if (answer.Refusal == SfuRefusals.Refused)
        {
            // It knows the peer: an answer was lost, or it came back. What it had there is of no use to it.
            await LeaveAsync(peer.Room, peer.Id, cancellationToken);
            answer = await http.PostAsync(path, body, token: null, cancellationToken);
        }

        return answer.TryGet(out var json, out var refusal)
            ? new SfuSession(In(json, "rtpCapabilities"), In(json, "peers"), Url: null, Token: null)
            : refusal;
    }

    public Task LeaveAsync(Guid room, string peer, CancellationToken cancellationToken) =>
        http.PostAsync($"rooms/{room}/peers/{Uri.EscapeDataString(peer)}/leave", SfuJson.Of(), token: null, cancellationToken);

    public Task RemoveAsync(Guid room, string peer, CancellationToken cancellationToken) => LeaveAsync(room, peer, cancellationToken);

    /// <summary>It cannot: the peer is asked to, and does it itself.</summary>
    public Task MuteAsync(Guid room, string peer, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<Result<JsonElement>> CreateTransportAsync(Guid room, string peer, string direction, CancellationToken cancellationToken) =>
        http.PostAsync($"rooms/{room}/transports", SfuJson.Of(("peerId", peer), ("direction", direction)), token: null, cancellationToken);

    public Task<Result<JsonElement>> ConnectTransportAsync(Guid room, string transport, JsonElement dtlsParameters, CancellationToken cancellationToken) =>
        http.PostAsync($"rooms/{room}/transports/{Uri.EscapeDataString(transport)}/connect", SfuJson.Of(("dtlsParameters", dtlsParameters)), token: null, cancellationToken);

    public Task<Result<JsonElement>> ProduceAsync(Guid room, string peer, string kind, JsonElement rtpParameters, CancellationToken cancellationToken) =>
        http.PostAsync($"rooms/{room}/producers", SfuJson.Of(("peerId", peer), ("kind", kind), ("rtpParameters", rtpParameters)), token: null, cancellationToken);

    public Task<Result<JsonElement>> ConsumeAsync(Guid room, string peer, string producer, JsonElement rtpCapabilities, CancellationToken cancellationToken) =>
        http.PostAsync($"rooms/{room}/consumers", SfuJson.Of(("peerId", peer), ("producerId", producer), ("rtpCapabilities", rtpCapabilities)), token: null, cancellationToken);

    public Task<Result<JsonElement>> CloseProducerAsync(Guid room, string producer, CancellationToken cancellationToken) =>
        http.PostAsync($"rooms/{room}/producers/{Uri.EscapeDataString(producer)}/close", SfuJson.Of(), token: null, cancellationToken);

    public Task<Result<JsonElement>> CloseConsumerAsync(Guid room, string consumer, CancellationToken cancellationToken) =>
        http.PostAsync($"rooms/{room}/consumers/{Uri.EscapeDataString(consumer)}/close", SfuJson.Of(), token: null, cancellationToken);

    /// <summary>Each of its peers leaves.</summary>
    public Task CloseAsync(Guid room, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<Result<string>> RecordAsync(Guid room, string file, CancellationToken cancellationToken) => Task.FromResult<Result<string>>(SfuRefusals.CannotRecord);

    public Task<Refusal?> StopRecordingAsync(string egress, CancellationToken cancellationToken) => Task.FromResult<Refusal?>(SfuRefusals.CannotRecord);

    private static JsonElement? In(JsonElement json, string name) => json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) ? value : null;
}
