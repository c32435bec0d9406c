using Vtp.Domain.Rooms.LiveKit;
using Vtp.Domain.Rooms.Signaling;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Rooms.Recordings;

/// <param name="Key">What clients called the room.</param>
/// <param name="Room">The live room, which may be over.</param>
/// <param name="Status"><c>starting</c>, <c>recording</c>, <c>stopped</c> (its file is being finished), <c>completed</c> or <c>failed</c>.</param>
/// <param name="Egress">What the media server calls it; null until that has answered.</param>
/// <param name="StartedBy">The account or API key.</param>
/// <param name="File">Of an ended one, as far as the media server told it.</param>
public sealed record RoomRecording(
    Guid Id, RoomKey Key, Guid Room, string Status, string? Egress, Guid StartedBy, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, RecordedFile? File)
{
    public OrganizationId Organization => Key.Organization;

    public string RoomId => Key.Id;
}

/// <summary>What was recorded of live rooms, and is being: the same for all nodes at once.</summary>
public interface IRoomRecordings
{
    /// <summary>Before the media server is asked, so that it is asked once.</summary>
    /// <returns>False: the room is being recorded.</returns>
    Task<bool> BeginAsync(RoomRecording recording, CancellationToken cancellationToken);

    /// <summary>The media server records.</summary>
    /// <returns>As it is now, if it has begun or ended by this; null where that is known already.</returns>
    Task<RoomRecording?> RunsAsync(RoomRecording recording, string egress, CancellationToken cancellationToken);

    /// <summary>The media server did not begin it.</summary>
    Task ForgetAsync(RoomRecording recording, CancellationToken cancellationToken);

    /// <summary>Nobody knows whether the media server has begun it. Should it say so, it is stopped.</summary>
    Task GiveUpAsync(RoomRecording recording, DateTimeOffset now, CancellationToken cancellationToken);

    Task<RoomRecording?> FindAsync(OrganizationId organization, Guid id, CancellationToken cancellationToken);

    /// <summary>It is over; one that the media server has not begun yet is stopped as soon as it has.</summary>
    /// <param name="recording">One that may have ended before.</param>
    /// <param name="now">When.</param>
    /// <param name="isStopped">The media server records no more; otherwise it is told until it does.</param>
    /// <param name="cancellationToken">Of the caller.</param>
    /// <returns>False: it had ended before.</returns>
    Task<bool> EndAsync(RoomRecording recording, DateTimeOffset now, bool isStopped, CancellationToken cancellationToken);

    /// <summary>What the media server tells of its work, in whatever order. What has completed or failed stays so.</summary>
    /// <returns>As it is now, if it has begun or ended by this; null where that is known already.</returns>
    Task<RoomRecording?> SettleAsync(EgressReport report, CancellationToken cancellationToken);
}
