using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Application.Rooms.Signaling;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Rooms.Signaling;
using Vtp.Domain.Tenancy.ApiKeys;

namespace Vtp.Application.Rooms.Recordings;

/// <summary>
/// Records a live room, all that is seen and heard in it, to one file, until it is stopped or the room ends. Who is in it is told
/// <c>recording-started</c>. For teachers and administrators: a student who opened the room records nobody.
/// </summary>
/// <param name="RoomId">A room to whose media server somebody is connected.</param>
/// <param name="OrgId">Whose room it is; the caller's only organization when absent.</param>
[Requires(Permission.SignedIn)]
[OpenToKeys(KeyScopes.RoomsWrite, NeedsSecret = true)]
[Audited(AuditActions.RoomRecordingStarted)]
public sealed record StartRoomRecordingCommand(string? RoomId, Guid? OrgId) : ICommand<RecordingSession>;

/// <param name="SessionId">Of the recording; it is stopped by it.</param>
/// <param name="Status"><c>started</c> or <c>stopped</c>.</param>
public sealed record RecordingSession([property: JsonPropertyName("sessionId")] Guid SessionId, string Status);

internal sealed class StartRoomRecordingValidator : AbstractValidator<StartRoomRecordingCommand>
{
    public StartRoomRecordingValidator() => RuleFor(command => command.RoomId).IsRoomId();
}

internal sealed class StartRoomRecordingHandler(
    RoomControl control, IRoomRecordings recordings, ISelectiveForwardingUnit sfu, RecordingNews news, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<StartRoomRecordingCommand, Result<RecordingSession>>
{
    public async Task<Result<RecordingSession>> Handle(StartRoomRecordingCommand request, CancellationToken cancellationToken)
    {
        if (!(await control.OfHostAsync(request.RoomId, request.OrgId, cancellationToken)).TryGet(out var found, out var refusal))
        {
            return refusal;
        }

        if (!found.Caller.IsStaff)
        {
            return RoomRefusals.RecordedByStaff;
        }

        var now = clock.GetUtcNow();
        var recording = new RoomRecording(Uuid.NewVersion7(now), found.Room.Key, found.Room.Room, "starting", Egress: null, found.Caller.Id, now, EndedAt: null, File: null);
        audit.TargetId = recording.Id;

        // To its end, also when the client goes meanwhile: what was begun must be known.
        if (!await recordings.BeginAsync(recording, CancellationToken.None))
        {
            return RoomRefusals.Recorded;
        }

        if (!(await sfu.RecordAsync(recording.Room, $"{recording.Organization}/{recording.Id}", CancellationToken.None)).TryGet(out var egress, out var refused))
        {
            await (refused == SfuRefusals.Away
                ? recordings.GiveUpAsync(recording, clock.GetUtcNow(), CancellationToken.None)
                : recordings.ForgetAsync(recording, CancellationToken.None));
            return refused;
        }

        if (await recordings.RunsAsync(recording, egress, CancellationToken.None) is not { } begun)
        {
            return new RecordingSession(recording.Id, "started"); // LiveKit's webhook was first, and they are told.
        }

        if ((begun.EndedAt is not null ? RoomRefusals.RecordingStopped : await news.TellAsync(begun)) is not { } untold)
        {
            return new RecordingSession(recording.Id, "started");
        }

        // It was stopped meanwhile; or nobody can be told, and nobody is recorded without knowing.
        var isStopped = await sfu.StopRecordingAsync(egress, CancellationToken.None) is null;
        await recordings.EndAsync(recording, clock.GetUtcNow(), isStopped, CancellationToken.None);
        return untold;
    }
}
