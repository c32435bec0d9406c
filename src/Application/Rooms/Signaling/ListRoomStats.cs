using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;

namespace Vtp.Application.Rooms.Signaling;

/// <summary>The live rooms of one organization, the newest 1,000 of them, and who is in each. For teachers and administrators.</summary>
/// <param name="OrgId">Whose rooms; the caller's only organization when absent.</param>
[Requires(Permission.SignedIn)]
[OpenToKeys(KeyScopes.RoomsRead, NeedsSecret = true)]
public sealed record ListRoomStatsQuery(Guid? OrgId) : IQuery<RoomStatsList>;

public sealed record RoomStatsList(IReadOnlyList<RoomStats> Rooms, int Count);

internal sealed class ListRoomStatsHandler(RoomCallers callers, RoomControl control, ISignalingRooms rooms) : IRequestHandler<ListRoomStatsQuery, Result<RoomStatsList>>
{
    private const int Most = 1000;

    public async Task<Result<RoomStatsList>> Handle(ListRoomStatsQuery request, CancellationToken cancellationToken)
    {
        if (!(await callers.FindAsync(request.OrgId, cancellationToken)).TryGet(out var who, out var refusal))
        {
            return refusal;
        }

        if (!who.IsStaff && !who.IsProgram)
        {
            return Refusal.Forbidden;
        }

        var found = await rooms.ListAsync(who.Organization, Most, cancellationToken);
        return new RoomStatsList([.. found.Select(room => RoomStats.Of(room, control.Participants(room.Room), who))], found.Count);
    }
}
