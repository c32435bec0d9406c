using Npgsql;
using Vtp.Application.Rooms.Recordings;
using Vtp.Domain.Rooms.LiveKit;
using Vtp.Domain.Rooms.Signaling;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Infrastructure.Persistence;
using static Vtp.Infrastructure.Rooms.RoomSql;

namespace Vtp.Infrastructure.Rooms;

/// <summary>In PostgreSQL, whose unique index lets a room be recorded once at a time.</summary>
internal sealed class RoomRecordings(NpgsqlDataSource database) : IRoomRecordings
{
    private const string Columns =
        "id, organization_id, room_id, room, status, egress_id, started_by, started_at, ended_at, file, size_bytes, duration_seconds, error";

    public async Task<bool> BeginAsync(RoomRecording recording, CancellationToken cancellationToken)
    {
        // A node that ended while it asked the media server has left one that nobody begins any more.
        await using var batch = database.Scoped(
            recording.Organization,
            "UPDATE room_recordings SET status = 'failed', ended_at = $2, error = 'The server ended before it began.' WHERE room = $1 AND ended_at IS NULL AND egress_id IS NULL AND started_at < $2 - interval '1 minute'",
            Id(recording.Room),
            Time(recording.StartedAt));
        Add(
            batch,
            "INSERT INTO room_recordings (id, organization_id, room, room_id, status, started_by, started_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (room) WHERE ended_at IS NULL DO NOTHING RETURNING 1",
            Id(recording.Id),
            Id(recording.Organization.Value),
            Id(recording.Room),
            Text(recording.RoomId),
            Text(recording.Status),
            Id(recording.StartedBy),
            Time(recording.StartedAt));
        await using var reader = await batch.ReadAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken);
    }

    public Task<bool> RunsAsync(RoomRecording recording, string egress, CancellationToken cancellationToken) => RunAsync(
        recording,
        "UPDATE room_recordings SET status = 'recording', egress_id = $2 WHERE id = $1 AND ended_at IS NULL RETURNING 1",
        Text(egress),
        cancellationToken);

    public async Task ForgetAsync(RoomRecording recording, CancellationToken cancellationToken)
    {
        await using var batch = database.Scoped(recording.Organization, "DELETE FROM room_recordings WHERE id = $1 AND egress_id IS NULL", Id(recording.Id));
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    public async Task<RoomRecording?> FindAsync(OrganizationId organization, Guid id, CancellationToken cancellationToken)
    {
        await using var batch = database.Scoped(organization, $"SELECT {Columns} FROM room_recordings WHERE id = $1", Id(id));
        await using var reader = await batch.ReadAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? Read(reader) : null;
    }

    public Task<bool> EndAsync(RoomRecording recording, DateTimeOffset now, CancellationToken cancellationToken) => RunAsync(
        recording,
        "UPDATE room_recordings SET status = 'stopped', ended_at = $2 WHERE id = $1 AND ended_at IS NULL RETURNING 1",
        Time(now),
        cancellationToken);

    public async Task<RoomRecording?> SettleAsync(EgressReport report, CancellationToken cancellationToken)
    {
        // The answer that named the egress may have been lost with its node: the room has one recording at a time.
        await using var batch = database.CreateSystemCommand(
            $"""
            WITH before AS (
                SELECT id AS known, ended_at AS was_ended FROM room_recordings
                WHERE status NOT IN ('completed', 'failed') AND (egress_id = $1 OR (egress_id IS NULL AND room = $2 AND ended_at IS NULL))
                FOR UPDATE)
            UPDATE room_recordings SET
                egress_id = $1,
                status = CASE WHEN $3 = 'recording' AND ended_at IS NOT NULL THEN status ELSE $3 END,
                ended_at = coalesce(ended_at, $4),
                file = coalesce($5, file), size_bytes = coalesce($6, size_bytes), duration_seconds = coalesce($7, duration_seconds), error = coalesce($8, error)
            FROM before WHERE id = known
            RETURNING {Columns}, was_ended IS NULL AND ended_at IS NOT NULL
            """,
            Text(report.Egress),
            Id(report.Room),
            Text(report.Status),
            new NpgsqlParameter<DateTimeOffset?> { TypedValue = report.EndedAt },
            Text(report.File.Name),
            new NpgsqlParameter<long?> { TypedValue = report.File.SizeBytes },
            new NpgsqlParameter<double?> { TypedValue = report.File.DurationSeconds },
            Text(report.File.Error));
        await using var reader = await batch.ReadAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) && reader.GetBoolean(13) ? Read(reader) : null;
    }

    /// <summary>Those that go on although their room is over.</summary>
    public async Task<IReadOnlyList<RoomRecording>> LeftAsync(CancellationToken cancellationToken)
    {
        await using var batch = database.CreateSystemCommand(
            $"SELECT {Columns} FROM room_recordings WHERE ended_at IS NULL AND NOT EXISTS (SELECT FROM signaling_rooms WHERE signaling_rooms.id = room) LIMIT 100");
        await using var reader = await batch.ReadAsync(cancellationToken);
        var left = new List<RoomRecording>();
        while (await reader.ReadAsync(cancellationToken))
        {
            left.Add(Read(reader));
        }

        return left;
    }

    private async Task<bool> RunAsync(RoomRecording recording, string sql, NpgsqlParameter second, CancellationToken cancellationToken)
    {
        await using var batch = database.Scoped(recording.Organization, sql, Id(recording.Id), second);
        await using var reader = await batch.ReadAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken);
    }

    private static RoomRecording Read(NpgsqlDataReader reader) => new(
        reader.GetGuid(0),
        new RoomKey(new OrganizationId(reader.GetGuid(1)), reader.GetString(2)),
        reader.GetGuid(3),
        reader.GetString(4),
        Maybe<string>(reader, 5),
        reader.GetGuid(6),
        reader.GetFieldValue<DateTimeOffset>(7),
        reader.IsDBNull(8) ? null : reader.GetFieldValue<DateTimeOffset>(8),
        new RecordedFile(Maybe<string>(reader, 9), reader.IsDBNull(10) ? null : reader.GetInt64(10), reader.IsDBNull(11) ? null : reader.GetDouble(11), Maybe<string>(reader, 12)));

    private static T? Maybe<T>(NpgsqlDataReader reader, int column)
        where T : class => reader.IsDBNull(column) ? null : reader.GetFieldValue<T>(column);
}
