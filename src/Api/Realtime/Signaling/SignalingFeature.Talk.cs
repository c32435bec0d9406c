using System.Text.Json;
using Vtp.Api.Realtime.SocketIo;
using Vtp.Application.Common;
using Vtp.Application.Realtime;
using Vtp.Application.Rooms.Signaling;
using Vtp.Domain.Common;
using Vtp.Domain.Rooms.Signaling;

namespace Vtp.Api.Realtime.Signaling;

/// <summary>What participants say to each other.</summary>
internal sealed partial class SignalingFeature
{
    private const int MaximumText = 4000;
    private const int MaximumCandidate = 16 * 1024;

    // A budget counts messages of this size; a long description counts for several.
    private const int BytesOfOne = 8 * 1024;

    private static readonly string[] PassedOn = ["sdp", "candidate", "data", "sdpMid", "sdpMLineIndex", "usernameFragment"];

    private static readonly Refusal NoTarget = Refusal.Field("to", "signaling.target_needed", "Name the participant whom it is for: a socket's id, or a user's.");
    private static readonly Refusal NoText = Refusal.Field("text", "signaling.text_invalid", "A message has 1 to 4,000 characters of plain text.");

    /// <summary>An event of somebody who is in a room: the one that it names, or the only one that they are in.</summary>
    private void In(string name, Func<Seat, SignalingState, SignalPayload, CancellationToken, ValueTask<SocketReply>> handle, string policy = RateLimitPolicies.Signaling) =>
        On(name, async (socket, state, happened, cancellationToken) =>
            !(await AdmitAsync(socket, happened, policy, cancellationToken)).TryGet(out var payload, out var refusal) ? new(null, refusal)
            : SeatOf(state, payload) is { } seat ? await handle(seat, state, payload, cancellationToken)
            : new(null, RoomRefusals.NotIn));

    /// <summary>Read, not too long, not too often, and not as somebody else.</summary>
    private async ValueTask<Result<SignalPayload>> AdmitAsync(Socket socket, SocketEvent happened, string policy, CancellationToken cancellationToken)
    {
        var cost = 1 + (happened.Arguments.Sum(one => System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(one).Length) / BytesOfOne);
        var decision = await _limiter.TakeAsync([new RateLimitCharge(policy, OwnerOf(socket), cost)], cancellationToken);
        if (!decision.IsAdmitted)
        {
            return RateLimitRefusal.Of(decision);
        }

        if (!SignalPayload.Read(happened).TryGet(out var payload, out var refusal))
        {
            return refusal;
        }

        return payload.Text("user_id") is { } claimed && !string.Equals(claimed, OwnerOf(socket), StringComparison.OrdinalIgnoreCase) ? RoomRefusals.IdentityDiffers : payload;
    }

    private static string OwnerOf(Socket socket) => socket.Caller!.Key is { } key ? key.KeyId.ToString() : socket.Caller.Person!.AccountId.ToString();

    private static Seat? SeatOf(SignalingState state, SignalPayload payload)
    {
        var seats = state.Seats;
        return payload.Text("room_id") is { } id ? seats.FirstOrDefault(seat => seat.Room.Key.Id == id) : seats is [var only] ? only : null;
    }

    /// <summary>To one participant, who is told whom it comes from by the server.</summary>
    private async ValueTask<SocketReply> RelayAsync(string name, string kind, Socket socket, SignalingState state, SocketEvent happened, CancellationToken cancellationToken)
    {
        if (!(await AdmitAsync(socket, happened, RateLimitPolicies.Signaling, cancellationToken)).TryGet(out var payload, out var refusal))
        {
            return new(null, refusal);
        }

        if (payload.Text("to") is not { } to)
        {
            return new(null, NoTarget);
        }

        if (Lacks(kind, payload) is { } lacking)
        {
            return new(null, lacking);
        }

        // Without a room's name: any that both are in.
        var seats = payload.Text("room_id") is null ? state.Seats : SeatOf(state, payload) is { } named ? [named] : [];
        if (seats.Count == 0)
        {
            return new(null, RoomRefusals.NotIn);
        }

        foreach (var seat in seats)
        {
            if (await TargetsAsync(seat, to, cancellationToken) is { Count: > 0 } targets)
            {
                var json = new SignalJson()
                    .Add("type", payload.Text("type") is { Length: <= 20 } type ? type : kind)
                    .Add("from", socket.Id).Add("from_user_id", seat.Participant.UserId).Add("to", to).Add("room_id", seat.Room.Key.Id).Add("roomId", seat.Room.Key.Id);
                foreach (var field in PassedOn)
                {
                    if (payload.TryGet(field, out var value))
                    {
                        json.Add(field, value);
                    }
                }

                return await PublishAsync(seat, name, json.Done(), targets, cancellationToken);
            }
        }

        return new(null, RoomRefusals.NoSuchParticipant);
    }

    private async ValueTask<SocketReply> PublishAsync(Seat seat, string name, ReadOnlyMemory<byte> data, IReadOnlyList<string> targets, CancellationToken cancellationToken)
    {
        foreach (var target in targets)
        {
            if ((await _topics.PublishAsync(new Publication(seat.TopicOf(target), name, data), cancellationToken)).Refusal is { } away)
            {
                return new(null, away);
            }
        }

        return new(new { success = true, delivered = targets.Count }, null);
    }

    private static Refusal? Lacks(string kind, SignalPayload payload)
    {
        if (kind == "ice-candidate")
        {
            return payload.Length > MaximumCandidate ? SignalPayload.TooLarge
                : payload.TryGet("candidate", out var candidate) && candidate.ValueKind is JsonValueKind.String or JsonValueKind.Object or JsonValueKind.Null ? null
                : Refusal.Field("candidate", "signaling.candidate_needed", "Send a candidate: text, an object, or null behind the last one.");
        }

        return payload.TryGet("sdp", out var sdp) && sdp.ValueKind is JsonValueKind.String or JsonValueKind.Object ? null
            : Refusal.Field("sdp", "signaling.sdp_needed", "Send a session description: text or an object.");
    }

    /// <summary>All sockets of a user, or one socket; not the sender's own. Who came to another node just now may not be known here yet.</summary>
    private async ValueTask<IReadOnlyList<string>> TargetsAsync(Seat seat, string to, CancellationToken cancellationToken)
    {
        var present = _presence.List(seat.Room.Topic);
        string[] found = present.Any(member => member.Id == to) ? [to]
            : Guid.TryParse(to, out var user) ? [.. present.Where(member => Participant.Read(member.Data).UserId == user).Select(member => member.Id)]
            : [];
        if (found.Length == 0)
        {
            var places = await _rooms.PlacesAsync(seat.Room.Key.Organization, seat.Room.Room, cancellationToken);
            found = [.. places.Where(place => place.SocketId == to || string.Equals(place.Participant.ToString(), to, StringComparison.OrdinalIgnoreCase)).Select(place => place.SocketId)];
        }

        return [.. found.Where(id => id != seat.Socket.Id)];
    }

    /// <summary>To all others, and for a while to who comes later.</summary>
    private async ValueTask<SocketReply> ChatAsync(Seat seat, SignalingState state, SignalPayload payload, CancellationToken cancellationToken)
    {
        if (payload.Text("text", "message") is not { Length: <= MaximumText } text || string.IsNullOrWhiteSpace(text) || text.Any(one => char.IsControl(one) && one is not ('\n' or '\r' or '\t')))
        {
            return new(null, NoText);
        }

        var (now, who) = (_clock.GetUtcNow(), seat.Participant);
        var isNumber = payload.TryGet("timestamp", out var timestamp) && timestamp.ValueKind == JsonValueKind.Number;
        var json = new SignalJson()
            .Add("id", Uuid.NewVersion7(now)).Add("userId", who.UserId).Add("user_id", who.UserId).Add("name", who.FullName).Add("role", who.Role).Add("text", text)
            .Add("timestamp", isNumber ? now.ToUnixTimeMilliseconds() : now).Add("roomId", seat.Room.Key.Id).Add("room_id", seat.Room.Key.Id).Add("from", seat.Socket.Id);
        if (payload.Text("id") is { Length: <= 100 } own)
        {
            json.Add("client_id", own);
        }

        var data = json.Done();
        return (await _topics.PublishAsync(new Publication(seat.ChatTopic, "chatMessage", data) { Except = seat.Socket.Id }, cancellationToken)).Refusal is { } away
            ? new(null, away)
            : SocketReply.Raw([JsonElement.Parse(data.Span)], []);
    }
}
