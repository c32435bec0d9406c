using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;

namespace Vtp.Application.Rooms.Signaling;

/// <summary>Who is in a live room. For its hosts and for who is in it.</summary>
/// <param name="RoomId">A room.</param>
/// <param name="OrgId">Whose room it is; the caller's only organization when absent.</param>
[Requires(Permission.SignedIn)]
[OpenToKeys(KeyScopes.RoomsRead, NeedsSecret = true)]
public sealed record ListParticipantsQuery(string? RoomId, Guid? OrgId) : IQuery<ParticipantView[]>;

internal sealed class ListParticipantsValidator : AbstractValidator<ListParticipantsQuery>
{
    public ListParticipantsValidator() => RuleFor(query => query.RoomId).IsRoomId();
}

internal sealed class ListParticipantsHandler(RoomControl control) : IRequestHandler<ListParticipantsQuery, Result<ParticipantView[]>>
{
    public async Task<Result<ParticipantView[]>> Handle(ListParticipantsQuery request, CancellationToken cancellationToken) =>
        (await control.OfMemberAsync(request.RoomId, request.OrgId, cancellationToken)).TryGet(out var found, out var refusal)
            ? RoomStats.Of(found.Room, control.Participants(found.Room.Room), found.Caller).Participants
            : refusal;
}
