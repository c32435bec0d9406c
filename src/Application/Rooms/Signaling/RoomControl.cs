using Vtp.Application.Common;
using Vtp.Application.Realtime;
using Vtp.Domain.Common;
using Vtp.Domain.Rooms.Signaling;

namespace Vtp.Application.Rooms.Signaling;

/// <summary>How hosts find what they act on, and how the nodes hear of it.</summary>
internal sealed class RoomControl(RoomCallers callers, ISignalingRooms rooms, ITopics topics, IPresence presence, AuditSubject audit)
{
    /// <summary>Nodes look after their places in a room that is named here; they do so by themselves every few seconds.</summary>
    public const string Topic = "rooms";

    /// <returns>The room and its host; refused to anybody else.</returns>
    public async Task<Result<HostedRoom>> OfHostAsync(string? roomId, Guid? organization, CancellationToken cancellationToken)
    {
        if (!(await FindAsync(roomId, organization, cancellationToken)).TryGet(out var found, out var refusal))
        {
            return refusal;
        }

        (audit.TargetId, audit.TargetName) = (found.Room.Room, found.Room.Key.Id);
        return found.Caller.IsHostOf(found.Room) ? found : RoomRefusals.HostNeeded;
    }

    /// <returns>The room, for its hosts and for who is in it; for others there is none.</returns>
    public async Task<Result<HostedRoom>> OfMemberAsync(string? roomId, Guid? organization, CancellationToken cancellationToken)
    {
        if (!(await FindAsync(roomId, organization, cancellationToken)).TryGet(out var found, out var refusal))
        {
            return refusal;
        }

        return found.Caller.IsHostOf(found.Room) || found.Caller.IsProgram || Participants(found.Room.Room).Any(one => one.UserId == found.Caller.Id) ? found : RoomRefusals.NotFound;
    }

    public IReadOnlyList<Participant> Participants(Guid room) =>
        [.. presence.List(LiveRoom.TopicOf(room)).Select(member => Participant.Read(member.Data)).OrderBy(one => one.JoinedAt).ThenBy(one => one.SocketId, StringComparer.Ordinal)];

    /// <summary>Each node sends out whoever of its sockets has no place there any more. Told or not, they look within ten seconds.</summary>
    public void LookAfter(LiveRoom room) => topics.Send(new Publication(Topic, "look", System.Text.Encoding.UTF8.GetBytes($"\"{room.Room}\"")));

    private async Task<Result<HostedRoom>> FindAsync(string? roomId, Guid? organization, CancellationToken cancellationToken)
    {
        if (!(await callers.FindAsync(organization, cancellationToken)).TryGet(out var caller, out var refusal))
        {
            return refusal;
        }

        return await rooms.FindAsync(new RoomKey(caller.Organization, roomId!), cancellationToken) is { } room ? new HostedRoom(room, caller) : RoomRefusals.NotFound;
    }
}

internal sealed record HostedRoom(LiveRoom Room, RoomCaller Caller);
