using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Application.Rooms.Signaling;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;

namespace Vtp.Application.Rooms.Recordings;

/// <summary>
/// Ends a recording; its file is finished soon after. Who is in the room is told <c>recording-stopped</c>. Twice is as once. For
/// teachers and administrators.
/// </summary>
/// <param name="SessionId">Of the recording.</param>
/// <param name="OrgId">Whose room it is; the caller's only organization when absent.</param>
[Requires(Permission.SignedIn)]
[OpenToKeys(KeyScopes.RoomsWrite, NeedsSecret = true)]
[Audited(AuditActions.RoomRecordingStopped)]
public sealed record StopRoomRecordingCommand(Guid SessionId, Guid? OrgId) : ICommand<RecordingSession>;

internal sealed class StopRoomRecordingValidator : AbstractValidator<StopRoomRecordingCommand>
{
    public StopRoomRecordingValidator() => RuleFor(command => command.SessionId).NotEmpty();
}

internal sealed class StopRoomRecordingHandler(
    RecordingAccess access, IRoomRecordings recordings, ISelectiveForwardingUnit sfu, RecordingNews news, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<StopRoomRecordingCommand, Result<RecordingSession>>
{
    public async Task<Result<RecordingSession>> Handle(StopRoomRecordingCommand request, CancellationToken cancellationToken)
    {
        if (!(await access.FindAsync(request.SessionId, request.OrgId, cancellationToken)).TryGet(out var recording, out var refusal))
        {
            return refusal;
        }

        (audit.TargetId, audit.TargetName) = (recording.Id, recording.RoomId);
        if (recording.EndedAt is null && recording.Egress is { } egress && await sfu.StopRecordingAsync(egress, cancellationToken) is { } refused)
        {
            return refused;
        }

        var now = clock.GetUtcNow();
        if (await recordings.EndAsync(recording, now, isStopped: true, CancellationToken.None))
        {
            await news.TellAsync(recording with { EndedAt = now });
        }

        return new RecordingSession(recording.Id, "stopped");
    }
}
