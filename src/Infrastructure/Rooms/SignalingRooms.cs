using Npgsql;
using Vtp.Application.Rooms.Signaling;
using Vtp.Domain.Common;
using Vtp.Domain.Rooms.Signaling;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Infrastructure.Persistence;
using Vtp.Infrastructure.Realtime;
using static Vtp.Infrastructure.Rooms.RoomSql;

namespace Vtp.Infrastructure.Rooms;

/// <summary>
/// In PostgreSQL. Whoever takes or gives up a place locks the room's row first, and counts behind that: statements of one batch
/// each see what was committed before they began, so that there is never one place too many.
/// </summary>
internal sealed class SignalingRooms(NpgsqlDataSource database, TopicHub hub) : ISignalingRooms
{
    // Not heard for so long: its places are free. By the database's clock alone.
    private const string Dead = "seen_at < clock_timestamp() - interval '30 seconds'";

    private const string Columns =
        """
        id, organization_id, name_id, name, created_by, created_at, is_locked, max_participants,
        (SELECT recording.id FROM room_recordings recording WHERE recording.room = signaling_rooms.id AND ended_at IS NULL AND status = 'recording') AS recording
        """;

    private const string Sign = "INSERT INTO signaling_nodes (id, seen_at) VALUES ($1, clock_timestamp()) ON CONFLICT (id) DO NOTHING";

    private const string Open =
        """
        INSERT INTO signaling_rooms (id, organization_id, name_id, name, created_by, created_at, is_kept, max_participants, empty_since)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, CASE WHEN $7 THEN clock_timestamp() END
        WHERE NOT $7 OR (SELECT count(*) FROM signaling_rooms WHERE organization_id = $2 AND is_kept) < $9
        ON CONFLICT (organization_id, name_id) DO NOTHING
        """;

    private const string Take =
        $"""
        INSERT INTO signaling_places (room, socket_id, organization_id, participant, is_staff, node_id)
        SELECT id, $3, organization_id, $4, $5, $6 FROM signaling_rooms room
        WHERE organization_id = $1 AND name_id = $2
            AND (NOT is_locked OR $7 OR $5 OR created_by = $4)
            AND NOT EXISTS (SELECT FROM signaling_removals removal WHERE removal.room = room.id AND removal.participant = $4)
            AND (SELECT count(*) FROM signaling_places place WHERE place.room = room.id
                AND NOT EXISTS (SELECT FROM signaling_nodes node WHERE node.id = place.node_id AND node.{Dead})) < max_participants
        ON CONFLICT (room, socket_id) DO NOTHING
        """;

    private const string Taken =
        $"""
        SELECT {Columns},
            EXISTS (SELECT FROM signaling_places place WHERE place.room = signaling_rooms.id AND socket_id = $3),
            EXISTS (SELECT FROM signaling_removals removal WHERE removal.room = signaling_rooms.id AND participant = $4)
        FROM signaling_rooms WHERE organization_id = $1 AND name_id = $2
        """;

    private const string Lock = "SELECT 1 FROM signaling_rooms WHERE organization_id = $1 AND name_id = $2 FOR UPDATE";

    private const string LockAll = "SELECT 1 FROM signaling_rooms WHERE id = ANY ($1) ORDER BY id FOR UPDATE";

    private const string Occupied = "UPDATE signaling_rooms SET empty_since = NULL WHERE organization_id = $1 AND name_id = $2 AND empty_since IS NOT NULL";

    private const string End =
        """
        DELETE FROM signaling_rooms WHERE id = ANY ($1) AND NOT is_kept AND NOT EXISTS (SELECT FROM signaling_places place WHERE place.room = signaling_rooms.id)
        """;

    private const string Emptied =
        """
        UPDATE signaling_rooms SET empty_since = clock_timestamp()
        WHERE id = ANY ($1) AND empty_since IS NULL AND NOT EXISTS (SELECT FROM signaling_places place WHERE place.room = signaling_rooms.id)
        """;

    public async Task<Result<LiveRoom>> EnterAsync(RoomEntry entry, CancellationToken cancellationToken)
    {
        while (true)
        {
            await using var batch = database.Scoped(entry.Key.Organization);
            Add(batch, Sign, Text(hub.Node));
            if (entry.IfAbsent is { } fresh)
            {
                Add(batch, Open, Opening(entry.Key, fresh, limit: 0));
            }

            Add(batch, Lock, KeyOf(entry.Key));
            Add(batch, Take, [.. KeyOf(entry.Key), Text(entry.SocketId), Id(entry.Participant), Flag(entry.IsStaff), Text(hub.Node), Flag(entry.IsReturn)]);
            Add(batch, Occupied, KeyOf(entry.Key));
            Add(batch, Taken, [.. KeyOf(entry.Key), Text(entry.SocketId), Id(entry.Participant)]);
            await using var reader = await batch.ReadAsync(cancellationToken);
            await reader.NextResultAsync(cancellationToken); // Past the lock; what only writes has no result.
            if (await reader.ReadAsync(cancellationToken))
            {
                var room = Read(reader);
                return reader.GetBoolean(9) ? room
                    : reader.GetBoolean(10) ? RoomRefusals.Removed
                    : room.IsLocked && !entry.IsReturn && !entry.IsStaff && room.CreatedBy != entry.Participant ? RoomRefusals.Locked
                    : RoomRefusals.Full;
            }

            if (entry.IfAbsent is null)
            {
                return RoomRefusals.NotFound;
            }

            // It ended between the two statements: the next turn opens it anew.
        }
    }

    public async Task LeaveAsync(OrganizationId organization, Guid room, string socketId, CancellationToken cancellationToken)
    {
        await using var batch = database.Scoped(organization);
        Add(batch, LockAll, Ids([room]));
        Add(batch, "DELETE FROM signaling_places WHERE room = $1 AND socket_id = $2", Id(room), Text(socketId));
        Add(batch, End, Ids([room]));
        Add(batch, Emptied, Ids([room]));
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    public async Task<Result<LiveRoom>> CreateAsync(RoomKey key, NewRoom room, int limit, CancellationToken cancellationToken)
    {
        await using var batch = database.Scoped(key.Organization);
        Add(batch, Open, Opening(key, room, limit));
        Add(batch, $"SELECT {Columns} FROM signaling_rooms WHERE organization_id = $1 AND name_id = $2", KeyOf(key));
        await using var reader = await batch.ReadAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
        {
            return RoomRefusals.TooMany;
        }

        var found = Read(reader);
        return found.Room == room.Room ? found : RoomRefusals.Exists;
    }

    public async Task<LiveRoom?> FindAsync(RoomKey key, CancellationToken cancellationToken)
    {
        await using var batch = database.Scoped(key.Organization);
        Add(batch, $"SELECT {Columns} FROM signaling_rooms WHERE organization_id = $1 AND name_id = $2", KeyOf(key));
        await using var reader = await batch.ReadAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? Read(reader) : null;
    }

    public async Task<IReadOnlyList<LiveRoom>> ListAsync(OrganizationId organization, int limit, CancellationToken cancellationToken)
    {
        await using var batch = database.Scoped(organization);
        Add(batch, $"SELECT {Columns} FROM signaling_rooms WHERE organization_id = $1 ORDER BY id DESC LIMIT $2", Id(organization.Value), Number(limit));
        await using var reader = await batch.ReadAsync(cancellationToken);
        var rooms = new List<LiveRoom>();
        while (await reader.ReadAsync(cancellationToken))
        {
            rooms.Add(Read(reader));
        }

        return rooms;
    }

    public async Task<int> CountAsync(CancellationToken cancellationToken)
    {
        await using var batch = database.CreateSystemCommand("SELECT count(*)::int FROM signaling_rooms");
        await using var reader = await batch.ReadAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return reader.GetInt32(0);
    }

    public Task DeleteAsync(LiveRoom room, CancellationToken cancellationToken) =>
        RunAsync(room, "DELETE FROM signaling_rooms WHERE id = $1", [Id(room.Room)], cancellationToken);

    public Task LockAsync(LiveRoom room, bool isLocked, CancellationToken cancellationToken) =>
        RunAsync(room, "UPDATE signaling_rooms SET is_locked = $2 WHERE id = $1", [Id(room.Room), Flag(isLocked)], cancellationToken);

    public async Task<IReadOnlyList<RoomPlace>> PlacesAsync(OrganizationId organization, Guid room, CancellationToken cancellationToken)
    {
        await using var batch = database.Scoped(organization);
        Add(batch, "SELECT socket_id, participant, is_staff, node_id FROM signaling_places WHERE room = $1 ORDER BY socket_id", Id(room));
        await using var reader = await batch.ReadAsync(cancellationToken);
        var places = new List<RoomPlace>();
        while (await reader.ReadAsync(cancellationToken))
        {
            places.Add(new RoomPlace(reader.GetString(0), reader.GetGuid(1), reader.GetBoolean(2), reader.GetString(3)));
        }

        return places;
    }

    public async Task RemoveAsync(LiveRoom room, Guid participant, Guid by, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var batch = database.Scoped(room.Key.Organization);
        Add(batch, LockAll, Ids([room.Room]));
        Add(
            batch,
            "INSERT INTO signaling_removals (room, participant, organization_id, removed_by, removed_at) SELECT id, $2, organization_id, $3, $4 FROM signaling_rooms WHERE id = $1 ON CONFLICT (room, participant) DO NOTHING",
            Id(room.Room),
            Id(participant),
            Id(by),
            Time(now));
        Add(batch, "DELETE FROM signaling_places WHERE room = $1 AND participant = $2", Id(room.Room), Id(participant));
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    public async Task<bool> ReadmitAsync(LiveRoom room, Guid participant, CancellationToken cancellationToken) =>
        await RunAsync(room, "DELETE FROM signaling_removals WHERE room = $1 AND participant = $2", [Id(room.Room), Id(participant)], cancellationToken) > 0;

    public async Task<IReadOnlyList<(Guid Room, string SocketId)>> LostAsync(IReadOnlyCollection<(Guid Room, string SocketId)> held, CancellationToken cancellationToken)
    {
        // A place that could not be given up when its socket went; a young one may be of somebody who is just coming in.
        await using var batch = database.CreateSystemCommand(
            """
            DELETE FROM signaling_places WHERE node_id = $3 AND taken_at < clock_timestamp() - interval '45 seconds'
                AND NOT EXISTS (SELECT FROM unnest($1, $2) AS held (room, socket_id) WHERE held.room = signaling_places.room AND held.socket_id = signaling_places.socket_id)
            """,
            Held());
        Add(batch, "SELECT room, socket_id FROM unnest($1, $2) AS held (room, socket_id) EXCEPT SELECT room, socket_id FROM signaling_places WHERE node_id = $3", Held());
        await using var reader = await batch.ReadAsync(cancellationToken);
        var lost = new List<(Guid, string)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            lost.Add((reader.GetGuid(0), reader.GetString(1)));
        }

        return lost;

        NpgsqlParameter[] Held() => [Ids([.. held.Select(one => one.Room)]), new NpgsqlParameter<string[]> { TypedValue = [.. held.Select(one => one.SocketId)] }, Text(hub.Node)];
    }

    /// <summary>Says that this node lives, and forgets nodes that do not, and rooms that nobody needs.</summary>
    /// <param name="idleFor">How long a room stays that was created by a request.</param>
    /// <param name="cancellationToken">Of the server.</param>
    /// <returns>What dead nodes held.</returns>
    public async Task<IReadOnlyList<(Guid Room, string SocketId)>> SignAsync(TimeSpan idleFor, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateSystemCommand(
            "INSERT INTO signaling_nodes (id, seen_at) VALUES ($1, clock_timestamp()) ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at", Text(hub.Node));
        Add(batch, $"DELETE FROM signaling_places USING signaling_nodes node WHERE node.id = node_id AND node.{Dead} RETURNING room, socket_id");
        Add(batch, $"DELETE FROM signaling_nodes WHERE {Dead}");
        Add(batch, "SELECT id FROM signaling_rooms room WHERE (empty_since IS NULL OR empty_since < clock_timestamp() - CASE WHEN is_kept THEN $1 ELSE interval '2 minutes' END) AND NOT EXISTS (SELECT FROM signaling_places place WHERE place.room = room.id) LIMIT 1000", new NpgsqlParameter<TimeSpan> { TypedValue = idleFor });
        var (buried, empty) = (new List<(Guid, string)>(), new List<Guid>());
        await using (var reader = await batch.ReadAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                buried.Add((reader.GetGuid(0), reader.GetString(1)));
            }

            await reader.NextResultAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                empty.Add(reader.GetGuid(0));
            }
        }

        if (empty.Count > 0)
        {
            // Looked at once more behind their locks: somebody may have come meanwhile. Who was taken for dead may come back into it.
            await using var clearing = database.CreateSystemCommand(LockAll, Ids([.. empty]));
            Add(clearing, Emptied, Ids([.. empty]));
            Add(
                clearing,
                "DELETE FROM signaling_rooms room WHERE id = ANY ($1) AND empty_since < clock_timestamp() - CASE WHEN is_kept THEN $2 ELSE interval '2 minutes' END AND NOT EXISTS (SELECT FROM signaling_places place WHERE place.room = room.id)",
                Ids([.. empty]),
                new NpgsqlParameter<TimeSpan> { TypedValue = idleFor });
            await clearing.ExecuteNonQueryAsync(cancellationToken);
        }

        return buried;
    }

    /// <summary>This node stops: its places are free at once.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await using var batch = database.CreateSystemCommand("DELETE FROM signaling_nodes WHERE id = $1", Text(hub.Node));
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<int> RunAsync(LiveRoom room, string sql, NpgsqlParameter[] parameters, CancellationToken cancellationToken)
    {
        await using var batch = database.Scoped(room.Key.Organization);
        Add(batch, sql, parameters);
        return await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private static LiveRoom Read(NpgsqlDataReader reader) => new(
        reader.GetGuid(0),
        new RoomKey(new OrganizationId(reader.GetGuid(1)), reader.GetString(2)),
        reader.GetString(3),
        reader.GetGuid(4),
        reader.GetFieldValue<DateTimeOffset>(5),
        reader.GetBoolean(6),
        reader.GetInt32(7),
        reader.IsDBNull(8) ? null : reader.GetGuid(8));

    private static NpgsqlParameter[] KeyOf(RoomKey key) => [Id(key.Organization.Value), Text(key.Id)];

    private static NpgsqlParameter[] Opening(RoomKey key, NewRoom room, int limit) =>
    [
        Id(room.Room), .. KeyOf(key), Text(room.Name), Id(room.CreatedBy), Time(room.CreatedAt),
        Flag(room.IsKept), Number(room.MaximumParticipants), Number(limit),
    ];
}
