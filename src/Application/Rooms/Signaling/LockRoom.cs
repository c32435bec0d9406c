using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;

namespace Vtp.Application.Rooms.Signaling;

/// <summary>Nobody but its hosts comes into the room from now on; who is in it stays. For hosts.</summary>
/// <param name="RoomId">A room.</param>
/// <param name="OrgId">Whose room it is; the caller's only organization when absent.</param>
[Requires(Permission.SignedIn)]
[OpenToKeys(KeyScopes.RoomsWrite, NeedsSecret = true)]
[Audited(AuditActions.RoomLocked)]
public sealed record LockRoomCommand(string? RoomId, Guid? OrgId) : ICommand<LiveRoom>;

internal sealed class LockRoomValidator : AbstractValidator<LockRoomCommand>
{
    public LockRoomValidator() => RuleFor(command => command.RoomId).IsRoomId();
}

internal sealed class LockRoomHandler(RoomControl control, ISignalingRooms rooms) : IRequestHandler<LockRoomCommand, Result<LiveRoom>>
{
    public async Task<Result<LiveRoom>> Handle(LockRoomCommand request, CancellationToken cancellationToken)
    {
        if (!(await control.OfHostAsync(request.RoomId, request.OrgId, cancellationToken)).TryGet(out var found, out var refusal))
        {
            return refusal;
        }

        await rooms.LockAsync(found.Room, isLocked: true, cancellationToken);
        return found.Room with { IsLocked = true };
    }
}
