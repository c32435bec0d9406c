using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Rooms.Signaling;
using Vtp.Domain.Tenancy.ApiKeys;

namespace Vtp.Application.Rooms.Signaling;

/// <summary>
/// Creates a live room, which stays until it is deleted, or nobody was in it for a day. For teachers and administrators; a room that
/// exists is left as it is.
/// </summary>
/// <param name="RoomId">1 to 128 characters, chosen by the client.</param>
/// <param name="RoomName">For people; the id when absent.</param>
/// <param name="OrgId">Whose room it is; the caller's only organization when absent.</param>
/// <param name="MaxParticipants">1 to 1,000 places; the server's default when absent.</param>
[Requires(Permission.SignedIn)]
[OpenToKeys(KeyScopes.RoomsWrite, NeedsSecret = true)]
[Audited(AuditActions.RoomCreated)]
[Idempotent]
public sealed record CreateRoomCommand(string? RoomId, string? RoomName, Guid? OrgId, int? MaxParticipants) : ICommand<RoomChanged>;

/// <param name="Success">Always true.</param>
public sealed record RoomChanged(bool Success, string RoomId, string Message);

internal sealed class CreateRoomValidator : AbstractValidator<CreateRoomCommand>
{
    public CreateRoomValidator()
    {
        RuleFor(command => command.RoomId).IsRoomId();
        RuleFor(command => command.RoomName).IsRoomName();
        RuleFor(command => command.MaxParticipants).InclusiveBetween(1, 1000);
    }
}

internal sealed class CreateRoomHandler(RoomCallers callers, ISignalingRooms rooms, SignalingOptions options, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<CreateRoomCommand, Result<RoomChanged>>
{
    public async Task<Result<RoomChanged>> Handle(CreateRoomCommand request, CancellationToken cancellationToken)
    {
        if (!(await callers.FindAsync(request.OrgId, cancellationToken)).TryGet(out var caller, out var unknown))
        {
            return unknown;
        }

        if (!caller.IsStaff)
        {
            return Refusal.Forbidden;
        }

        var now = clock.GetUtcNow();
        var name = string.IsNullOrWhiteSpace(request.RoomName) ? request.RoomId! : request.RoomName.Trim();
        var fresh = new NewRoom(Uuid.NewVersion7(now), name, caller.Id, now, request.MaxParticipants ?? options.MaximumParticipants, IsKept: true);
        if (!(await rooms.CreateAsync(new RoomKey(caller.Organization, request.RoomId!), fresh, options.RoomsPerOrganization, cancellationToken)).TryGet(out var room, out var refusal))
        {
            return refusal;
        }

        (audit.TargetId, audit.TargetName) = (room.Room, room.Key.Id);
        return new RoomChanged(true, room.Key.Id, "The room is open.");
    }
}
