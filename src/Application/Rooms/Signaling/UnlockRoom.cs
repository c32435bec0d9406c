using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;

namespace Vtp.Application.Rooms.Signaling;

/// <summary>Others come into the room again. For hosts.</summary>
/// <param name="RoomId">A room.</param>
/// <param name="OrgId">Whose room it is; the caller's only organization when absent.</param>
[Requires(Permission.SignedIn)]
[OpenToKeys(KeyScopes.RoomsWrite, NeedsSecret = true)]
[Audited(AuditActions.RoomUnlocked)]
public sealed record UnlockRoomCommand(string? RoomId, Guid? OrgId) : ICommand<LiveRoom>;

internal sealed class UnlockRoomValidator : AbstractValidator<UnlockRoomCommand>
{
    public UnlockRoomValidator() => RuleFor(command => command.RoomId).IsRoomId();
}

internal sealed class UnlockRoomHandler(RoomControl control, ISignalingRooms rooms) : IRequestHandler<UnlockRoomCommand, Result<LiveRoom>>
{
    public async Task<Result<LiveRoom>> Handle(UnlockRoomCommand request, CancellationToken cancellationToken)
    {
        if (!(await control.OfHostAsync(request.RoomId, request.OrgId, cancellationToken)).TryGet(out var found, out var refusal))
        {
            return refusal;
        }

        await rooms.LockAsync(found.Room, isLocked: false, cancellationToken);
        return found.Room with { IsLocked = false };
    }
}
