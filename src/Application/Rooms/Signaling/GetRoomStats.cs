using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;

namespace Vtp.Application.Rooms.Signaling;

/// <summary>One live room and who is in it. For its hosts and for who is in it.</summary>
/// <param name="RoomId">A room.</param>
/// <param name="OrgId">Whose room it is; the caller's only organization when absent.</param>
[Requires(Permission.SignedIn)]
[OpenToKeys(KeyScopes.RoomsRead, NeedsSecret = true)]
public sealed record GetRoomStatsQuery(string? RoomId, Guid? OrgId) : IQuery<RoomStats>;

/// <param name="ProducerCount">How many said that they would send.</param>
public sealed record RoomStats(
    string RoomId, string Name, bool IsLocked, Guid? RecordingSessionId, int MaxParticipants, DateTimeOffset CreatedAt, int ParticipantCount, int ProducerCount, ParticipantView[] Participants)
{
    internal static RoomStats Of(LiveRoom room, IReadOnlyList<Participant> participants, RoomCaller caller) => new(
        room.Key.Id,
        room.Name,
        room.IsLocked,
        room.Recording,
        room.MaximumParticipants,
        room.CreatedAt,
        participants.Count,
        participants.Count(one => one.IsProducer),
        [.. participants.Select(one => one.View(caller.IsHostOf(room) || one.UserId == caller.Id))]);
}

internal sealed class GetRoomStatsValidator : AbstractValidator<GetRoomStatsQuery>
{
    public GetRoomStatsValidator() => RuleFor(query => query.RoomId).IsRoomId();
}

internal sealed class GetRoomStatsHandler(RoomControl control) : IRequestHandler<GetRoomStatsQuery, Result<RoomStats>>
{
    public async Task<Result<RoomStats>> Handle(GetRoomStatsQuery request, CancellationToken cancellationToken) =>
        (await control.OfMemberAsync(request.RoomId, request.OrgId, cancellationToken)).TryGet(out var found, out var refusal)
            ? RoomStats.Of(found.Room, control.Participants(found.Room.Room), found.Caller)
            : refusal;
}
