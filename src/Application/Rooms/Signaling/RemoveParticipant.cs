using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Rooms.Signaling;
using Vtp.Domain.Tenancy.ApiKeys;

namespace Vtp.Application.Rooms.Signaling;

/// <summary>Sends somebody out of the room, with all of their sockets, until a host readmits them. For hosts; nobody but staff removes staff.</summary>
/// <param name="RoomId">A room.</param>
/// <param name="OrgId">Whose room it is; the caller's only organization when absent.</param>
/// <param name="ParticipantId">A socket's id, or a user's.</param>
[Requires(Permission.SignedIn)]
[OpenToKeys(KeyScopes.RoomsWrite, NeedsSecret = true)]
[Audited(AuditActions.RoomParticipantRemoved)]
public sealed record RemoveParticipantCommand(string? RoomId, Guid? OrgId, string? ParticipantId) : ICommand<ParticipantRemoved>;

/// <param name="Sockets">That they had in the room.</param>
public sealed record ParticipantRemoved(LiveRoom Room, Guid UserId, IReadOnlyList<string> Sockets);

internal sealed class RemoveParticipantValidator : AbstractValidator<RemoveParticipantCommand>
{
    public RemoveParticipantValidator()
    {
        RuleFor(command => command.RoomId).IsRoomId();
        RuleFor(command => command.ParticipantId).NotEmpty().MaximumLength(100);
    }
}

internal sealed class RemoveParticipantHandler(
    RoomControl control, ISignalingRooms rooms, ISelectiveForwardingUnit sfu, TimeProvider clock) : IRequestHandler<RemoveParticipantCommand, Result<ParticipantRemoved>>
{
    public async Task<Result<ParticipantRemoved>> Handle(RemoveParticipantCommand request, CancellationToken cancellationToken)
    {
        if (!(await control.OfHostAsync(request.RoomId, request.OrgId, cancellationToken)).TryGet(out var found, out var refusal))
        {
            return refusal;
        }

        var places = await rooms.PlacesAsync(found.Room.Key.Organization, found.Room.Room, cancellationToken);
        if (places.FirstOrDefault(place => place.SocketId == request.ParticipantId || string.Equals(place.Participant.ToString(), request.ParticipantId, StringComparison.OrdinalIgnoreCase)) is not { } target)
        {
            return RoomRefusals.NoSuchParticipant;
        }

        if (target.IsStaff && !found.Caller.IsStaff)
        {
            return RoomRefusals.StaffStays;
        }

        string[] sockets = [.. places.Where(place => place.Participant == target.Participant).Select(place => place.SocketId)];
        await rooms.RemoveAsync(found.Room, target.Participant, found.Caller.Id, clock.GetUtcNow(), cancellationToken);
        control.LookAfter(found.Room);
        foreach (var socket in sockets)
        {
            await sfu.RemoveAsync(found.Room.Room, socket, cancellationToken);
        }

        return new ParticipantRemoved(found.Room, target.Participant, sockets);
    }
}
