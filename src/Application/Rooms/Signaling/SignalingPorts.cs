using Vtp.Domain.Common;
using Vtp.Domain.Rooms.Signaling;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Rooms.Signaling;

/// <summary>Live rooms. Configuration: section Signaling.</summary>
public sealed class SignalingOptions
{
    /// <summary>A student who comes first opens the room, and is its host; otherwise a teacher has to be there.</summary>
    public bool StudentsOpenRooms { get; set; } = true;

    /// <summary>Places of a room.</summary>
    public int MaximumParticipants { get; set; } = 50;

    /// <summary>Rooms that were created by requests, of one organization.</summary>
    public int RoomsPerOrganization { get; set; } = 1000;

    /// <summary>A room that was created by a request is forgotten when nobody was in it for so long.</summary>
    public TimeSpan IdleRoomsFor { get; set; } = TimeSpan.FromHours(24);
}

/// <param name="Room">Of this room from its beginning to its end; another one of the same id has another.</param>
/// <param name="CreatedBy">The account or API key.</param>
/// <param name="Recording">The one that runs.</param>
public sealed record LiveRoom(
    Guid Room, RoomKey Key, string Name, Guid CreatedBy, DateTimeOffset CreatedAt, bool IsLocked, int MaximumParticipants, Guid? Recording)
{
    /// <summary>The topic by whose presence nodes know who is in it; what is told to all of them goes there too.</summary>
    public string Topic => TopicOf(Room);

    public static string TopicOf(Guid room) => $"room:{room}";

    /// <summary>What is told here, who comes within two minutes is told too.</summary>
    public static string ChatTopicOf(Guid room) => $"{TopicOf(room)}:chat";
}

/// <param name="IsStaff">A host of every room there.</param>
/// <param name="IsReturn">Was in it until just now: a lock does not keep them out.</param>
public sealed record RoomEntry(RoomKey Key, string SocketId, Guid Participant, bool IsStaff, bool IsReturn, NewRoom? IfAbsent);

/// <param name="CreatedAt">Now.</param>
/// <param name="IsKept">Stays when it is empty.</param>
public sealed record NewRoom(Guid Room, string Name, Guid CreatedBy, DateTimeOffset CreatedAt, int MaximumParticipants, bool IsKept);

/// <param name="Node">Where their socket is.</param>
public sealed record RoomPlace(string SocketId, Guid Participant, bool IsStaff, string Node);

/// <summary>Which live rooms there are, and their places: the same for all nodes at once.</summary>
public interface ISignalingRooms
{
    /// <summary>Takes a place, in a new room where there is none of the id and one is given. Twice is as once.</summary>
    Task<Result<LiveRoom>> EnterAsync(RoomEntry entry, CancellationToken cancellationToken);

    /// <summary>Gives a place up; a room that was not created by a request ends with the last one.</summary>
    Task LeaveAsync(OrganizationId organization, Guid room, string socketId, CancellationToken cancellationToken);

    /// <returns>Refused when there is one of the id, or there are too many.</returns>
    Task<Result<LiveRoom>> CreateAsync(RoomKey key, NewRoom room, int limit, CancellationToken cancellationToken);

    Task<LiveRoom?> FindAsync(RoomKey key, CancellationToken cancellationToken);

    /// <summary>The newest first.</summary>
    Task<IReadOnlyList<LiveRoom>> ListAsync(OrganizationId organization, int limit, CancellationToken cancellationToken);

    /// <summary>Of all organizations.</summary>
    Task<int> CountAsync(CancellationToken cancellationToken);

    Task DeleteAsync(LiveRoom room, CancellationToken cancellationToken);

    Task LockAsync(LiveRoom room, bool isLocked, CancellationToken cancellationToken);

    Task<IReadOnlyList<RoomPlace>> PlacesAsync(OrganizationId organization, Guid room, CancellationToken cancellationToken);

    /// <summary>Takes all their places away, and lets them in no more.</summary>
    Task RemoveAsync(LiveRoom room, Guid participant, Guid by, DateTimeOffset now, CancellationToken cancellationToken);

    /// <returns>False: they were not removed.</returns>
    Task<bool> ReadmitAsync(LiveRoom room, Guid participant, CancellationToken cancellationToken);

    /// <summary>Which of its places a node has lost: it was taken for dead, somebody was removed, or the room has ended.</summary>
    /// <param name="held">Of this node, as it knows them.</param>
    /// <param name="cancellationToken">Of the server.</param>
    Task<IReadOnlyList<(Guid Room, string SocketId)>> LostAsync(IReadOnlyCollection<(Guid Room, string SocketId)> held, CancellationToken cancellationToken);
}
