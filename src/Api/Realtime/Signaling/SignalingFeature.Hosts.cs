using MediatR;
using Vtp.Api.Realtime.SocketIo;
using Vtp.Application.Realtime;
using Vtp.Application.Rooms.Signaling;
using Vtp.Domain.Common;
using Vtp.Domain.Rooms.Signaling;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Api.Realtime.Signaling;

/// <summary>What a host may do to a room. What is decided is decided by use cases, and is in the trail.</summary>
internal sealed partial class SignalingFeature
{
    private static readonly Refusal KindNeeded = Refusal.Field("kind", "signaling.kind_unknown", "The kind is audio or video.");

    private void AddHostControls()
    {
        In("mute-participant", MuteAsync);
        In("remove-participant", async (seat, _, payload, cancellationToken) =>
            await ActAsync(seat, new RemoveParticipantCommand(seat.Room.Key.Id, OrganizationOf(seat), TargetOf(payload)), removed => ("participant-removed", new { room_id = seat.Room.Key.Id, user_id = removed.UserId, peer_ids = removed.Sockets, by = seat.Socket.Id }), cancellationToken));
        In("readmit-participant", async (seat, _, payload, cancellationToken) =>
            await ActAsync(seat, new ReadmitParticipantCommand(seat.Room.Key.Id, OrganizationOf(seat), Guid.TryParse(TargetOf(payload), out var user) ? user : null), _ => ("participant-readmitted", new { room_id = seat.Room.Key.Id, user_id = user, by = seat.Socket.Id }), cancellationToken));
        In("lock-room", async (seat, _, _, cancellationToken) =>
            await ActAsync(seat, new LockRoomCommand(seat.Room.Key.Id, OrganizationOf(seat)), _ => ("room-locked", new { room_id = seat.Room.Key.Id, by = seat.Socket.Id }), cancellationToken));
        In("unlock-room", async (seat, _, _, cancellationToken) =>
            await ActAsync(seat, new UnlockRoomCommand(seat.Room.Key.Id, OrganizationOf(seat)), _ => ("room-unlocked", new { room_id = seat.Room.Key.Id, by = seat.Socket.Id }), cancellationToken));
    }

    private static Guid? OrganizationOf(Seat seat) => seat.Room.Key.Organization == OrganizationId.Installation ? null : seat.Room.Key.Organization.Value;

    private static string? TargetOf(SignalPayload payload) => payload.Text("to", "peer_id", "participant_id");

    /// <summary>Runs the use case as the participant, and tells all others what came of it.</summary>
    private async ValueTask<SocketReply> ActAsync<T>(Seat seat, IRequest<Result<T>> request, Func<T, (string Name, object Told)> tell, CancellationToken cancellationToken)
        where T : notnull
    {
        if (!(await seat.Socket.SendAsync(request, cancellationToken)).TryGet(out var done, out var refusal))
        {
            return new(null, refusal);
        }

        var (name, told) = tell(done);
        var data = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(told, Http.Json.Options);

        // It is done, whether or not all hear of it.
        await _topics.PublishAsync(new Publication(seat.Room.Topic, name, data) { Except = seat.Socket.Id }, cancellationToken);
        return new(new { success = true, room_id = seat.Room.Key.Id }, null);
    }

    /// <summary>Asks them to be silent. Where the media server can, it silences them.</summary>
    private async ValueTask<SocketReply> MuteAsync(Seat seat, SignalingState state, SignalPayload payload, CancellationToken cancellationToken)
    {
        if (!seat.Participant.IsHost)
        {
            return new(null, RoomRefusals.HostNeeded);
        }

        if (TargetOf(payload) is not { } to)
        {
            return new(null, NoTarget);
        }

        var kind = payload.Text("kind") ?? "audio";
        if (kind is not ("audio" or "video"))
        {
            return new(null, KindNeeded);
        }

        if (await TargetsAsync(seat, to, cancellationToken) is not { Count: > 0 } targets)
        {
            return new(null, RoomRefusals.NoSuchParticipant);
        }

        if (!seat.IsStaff && _presence.List(seat.Room.Topic).Any(member => targets.Contains(member.Id, StringComparer.Ordinal) && Participant.Read(member.Data).IsHost))
        {
            return new(null, RoomRefusals.StaffStays);
        }

        foreach (var target in kind == "audio" ? targets : [])
        {
            await _sfu.MuteAsync(seat.Room.Room, target, cancellationToken);
        }

        var json = new SignalJson().Add("room_id", seat.Room.Key.Id).Add("roomId", seat.Room.Key.Id).Add("from", seat.Socket.Id).Add("name", seat.Participant.FullName).Add("kind", kind);
        return await PublishAsync(seat, "mute-requested", json.Done(), targets, cancellationToken);
    }
}
