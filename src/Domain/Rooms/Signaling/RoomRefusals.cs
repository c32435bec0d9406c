using Vtp.Domain.Common;

namespace Vtp.Domain.Rooms.Signaling;

/// <summary>How rooms say no, to sockets and to requests.</summary>
public static class RoomRefusals
{
    public static readonly Refusal NotFound = new(RefusalKind.NotFound, "room.not_found", "There is no such room.");

    public static readonly Refusal Exists = new(RefusalKind.Conflict, "room.exists", "There is a room of this id already.");

    public static readonly Refusal Full = new(RefusalKind.Conflict, "room.full", "All places in this room are taken.");

    public static readonly Refusal Locked = new(RefusalKind.Forbidden, "room.locked", "The room is locked. Its host can open it.");

    public static readonly Refusal Removed = new(RefusalKind.Forbidden, "room.removed", "You were removed from this room. Its host can let you in again.");

    public static readonly Refusal HostNeeded = new(RefusalKind.Forbidden, "room.host_needed", "Only a host of the room may do this.");

    public static readonly Refusal StaffStays = new(RefusalKind.Forbidden, "room.staff_stays", "Only a teacher or an administrator may do this to one.");

    public static readonly Refusal RecordedByStaff = new(RefusalKind.Forbidden, "room.recorded_by_staff", "Only a teacher or an administrator may record.");

    public static readonly Refusal Recorded = new(RefusalKind.Conflict, "room.recorded", "The room is being recorded already.");

    public static readonly Refusal RecordingStopped = new(RefusalKind.Conflict, "room.recording_stopped", "The recording was stopped before it began.");

    public static readonly Refusal NoSuchRecording = new(RefusalKind.NotFound, "room.recording_not_found", "There is no such recording.");

    public static readonly Refusal OpenedByStaff = new(RefusalKind.NotFound, "room.not_open", "There is no such room yet. A teacher opens it.");

    public static readonly Refusal TooMany = new(RefusalKind.Conflict, "room.too_many", "There are as many rooms as there may be. Delete some first.");

    public static readonly Refusal TooManyOfSocket = new(RefusalKind.TooMany, "room.too_many_joined", "A connection is in eight rooms at most. Leave one first.");

    public static readonly Refusal NotIn = new(RefusalKind.Conflict, "room.not_joined", "You are not in this room. Join it first.");

    public static readonly Refusal NoSuchParticipant = new(RefusalKind.NotFound, "room.participant_not_found", "There is no such participant in the room.");

    public static readonly Refusal IdentityDiffers =
        Refusal.Field("user_id", "room.identity_differs", "This is not your own id. Who you are comes from your credential alone.");

    public static readonly Refusal OrganizationNeeded =
        Refusal.Field("org_id", "room.organization_needed", "You belong to several organizations. Name the one whose room it is.");
}
