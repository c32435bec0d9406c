using Vtp.Application.Rooms.Signaling;
using Vtp.Domain.Common;
using Vtp.Domain.Rooms.Signaling;

namespace Vtp.Application.Rooms.Recordings;

/// <summary>Recordings for staff, and for keys, whose scopes the use cases name; for others there are none.</summary>
internal sealed class RecordingAccess(RoomCallers callers, IRoomRecordings recordings)
{
    public async Task<Result<RoomRecording>> FindAsync(Guid id, Guid? organization, CancellationToken cancellationToken)
    {
        if (!(await callers.FindAsync(organization, cancellationToken)).TryGet(out var caller, out var refusal))
        {
            return refusal;
        }

        return (caller.IsStaff || caller.IsProgram) && await recordings.FindAsync(caller.Organization, id, cancellationToken) is { } recording ? recording : RoomRefusals.NoSuchRecording;
    }
}
