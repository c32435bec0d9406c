using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Rooms.Signaling;
using Vtp.Domain.Tenancy.ApiKeys;

namespace Vtp.Application.Rooms.Signaling;

/// <summary>Lets somebody come in again who was removed. For hosts.</summary>
/// <param name="RoomId">A room.</param>
/// <param name="OrgId">Whose room it is; the caller's only organization when absent.</param>
/// <param name="UserId">Whom.</param>
[Requires(Permission.SignedIn)]
[OpenToKeys(KeyScopes.RoomsWrite, NeedsSecret = true)]
[Audited(AuditActions.RoomParticipantReadmitted)]
public sealed record ReadmitParticipantCommand(string? RoomId, Guid? OrgId, Guid? UserId) : ICommand<LiveRoom>;

internal sealed class ReadmitParticipantValidator : AbstractValidator<ReadmitParticipantCommand>
{
    public ReadmitParticipantValidator()
    {
        RuleFor(command => command.RoomId).IsRoomId();
        RuleFor(command => command.UserId).NotEmpty();
    }
}

internal sealed class ReadmitParticipantHandler(RoomControl control, ISignalingRooms rooms) : IRequestHandler<ReadmitParticipantCommand, Result<LiveRoom>>
{
    public async Task<Result<LiveRoom>> Handle(ReadmitParticipantCommand request, CancellationToken cancellationToken)
    {
        if (!(await control.OfHostAsync(request.RoomId, request.OrgId, cancellationToken)).TryGet(out var found, out var refusal))
        {
            return refusal;
        }

        return await rooms.ReadmitAsync(found.Room, request.UserId!.Value, cancellationToken) ? found.Room : RoomRefusals.NoSuchParticipant;
    }
}
