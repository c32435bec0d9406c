using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;

namespace Vtp.Application.Rooms.Signaling;

/// <summary>Deletes a live room; who is in it is told <c>room-closed</c> and is out. For its hosts.</summary>
/// <param name="RoomId">As it was created or joined.</param>
/// <param name="OrgId">Whose room it is; the caller's only organization when absent.</param>
[Requires(Permission.SignedIn)]
[OpenToKeys(KeyScopes.RoomsWrite, NeedsSecret = true)]
[Audited(AuditActions.RoomDeleted)]
public sealed record DeleteRoomCommand(string? RoomId, Guid? OrgId) : ICommand<RoomChanged>;

internal sealed class DeleteRoomValidator : AbstractValidator<DeleteRoomCommand>
{
    public DeleteRoomValidator() => RuleFor(command => command.RoomId).IsRoomId();
}

internal sealed class DeleteRoomHandler(RoomControl control, ISignalingRooms rooms, ISelectiveForwardingUnit sfu) : IRequestHandler<DeleteRoomCommand, Result<RoomChanged>>
{
    public async Task<Result<RoomChanged>> Handle(DeleteRoomCommand request, CancellationToken cancellationToken)
    {
        if (!(await control.OfHostAsync(request.RoomId, request.OrgId, cancellationToken)).TryGet(out var found, out var refusal))
        {
            return refusal;
        }

        await rooms.DeleteAsync(found.Room, cancellationToken);
        control.LookAfter(found.Room);
        await sfu.CloseAsync(found.Room.Room, CancellationToken.None);
        return new RoomChanged(true, found.Room.Key.Id, "The room is closed.");
    }
}
