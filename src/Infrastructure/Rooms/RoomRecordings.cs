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
        await using var batch = database.Scoped(
            recording.Organization,
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

    public async Task<RoomRecording?> RunsAsync(RoomRecording recording, string egress, CancellationToken cancellationToken)
    {
        await using var batch = database.Scoped(
            recording.Organization,
            $"""
            WITH before AS (SELECT id AS known, status AS was FROM room_recordings WHERE id = $1 FOR UPDATE)
            UPDATE room_recordings SET egress_id = $2, runs = status NOT IN ('completed', 'failed') OR egress_id IS NULL, status = CASE status WHEN 'starting' THEN 'recording' ELSE status END
            FROM before WHERE id = known RETURNING {Columns}, was <> 'recording'
            """,
            Id(recording.Id),
            Text(egress));
        return await ChangedAsync(batch, cancellationToken);
    }

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

    public Task GiveUpAsync(RoomRecording recording, DateTimeOffset now, CancellationToken cancellationToken) => RunAsync(
        recording,
        "UPDATE room_recordings SET status = 'failed', ended_at = $2, error = 'The media server did not answer.' WHERE id = $1 AND ended_at IS NULL AND egress_id IS NULL RETURNING 1",
        cancellationToken,
        Time(now));

    public Task<bool> EndAsync(RoomRecording recording, DateTimeOffset now, bool isStopped, CancellationToken cancellationToken) => RunAsync(
        recording,
        """
        WITH before AS (SELECT id AS known, ended_at IS NULL AS goes_on FROM room_recordings WHERE id = $1 FOR UPDATE)
        UPDATE room_recordings SET status = CASE WHEN goes_on THEN 'stopped' ELSE status END, ended_at = coalesce(ended_at, $2), runs = runs AND NOT $3
        FROM before WHERE id = known AND (goes_on OR runs) RETURNING nullif(goes_on, false)
        """,
        cancellationToken,
        Time(now),
        Flag(isStopped));

    public async Task<RoomRecording?> SettleAsync(EgressReport report, CancellationToken cancellationToken)
    {
        // The answer that named the egress may have been lost with its node; its file has the recording's name.
        await using var batch = database.CreateSystemCommand(
            $"""
            WITH before AS (
                SELECT id AS known, ended_at IS NULL AS went_on, status AS was FROM room_recordings
                WHERE (egress_id = $1 OR (id = $2 AND egress_id IS NULL)) AND (egress_id IS NULL OR status NOT IN ('completed', 'failed'))
                FOR UPDATE)
            UPDATE room_recordings SET
                egress_id = $1,
                runs = $3 = 'recording',
                status = CASE WHEN $3 = 'recording' AND ended_at IS NOT NULL THEN status ELSE $3 END,
                ended_at = coalesce(ended_at, $4),
                file = coalesce($5, file), size_bytes = coalesce($6, size_bytes), duration_seconds = coalesce($7, duration_seconds), error = coalesce($8, error)
            FROM before WHERE id = known
            RETURNING {Columns}, went_on AND (ended_at IS NOT NULL OR was <> status)
            """,
            Text(report.Egress),
            new NpgsqlParameter<Guid?> { TypedValue = report.Recording },
            Text(report.Status),
            new NpgsqlParameter<DateTimeOffset?> { TypedValue = report.EndedAt },
            Text(report.File.Name),
            new NpgsqlParameter<long?> { TypedValue = report.File.SizeBytes },
            new NpgsqlParameter<double?> { TypedValue = report.File.DurationSeconds },
            Text(report.File.Error));
        return await ChangedAsync(batch, cancellationToken);
    }

    /// <summary>Gives up what nobody begins any more: its node ended while it asked the media server.</summary>
    /// <returns>Those that the media server has to stop: they have ended here, or their room has.</returns>
    public async Task<IReadOnlyList<RoomRecording>> LookAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateSystemCommand(
            "UPDATE room_recordings SET status = 'failed', ended_at = $1, error = 'The server ended before it began.' WHERE ended_at IS NULL AND egress_id IS NULL AND started_at < $1 - interval '1 minute'",
            Time(now));

        // In any order, so that those that cannot be stopped hide no others.
        Add(
            batch,
            $"SELECT {Columns} FROM room_recordings WHERE runs AND (ended_at IS NOT NULL OR NOT EXISTS (SELECT FROM signaling_rooms WHERE signaling_rooms.id = room)) ORDER BY random() LIMIT 100");
        await using var reader = await batch.ReadAsync(cancellationToken);
        var left = new List<RoomRecording>();
        while (await reader.ReadAsync(cancellationToken))
        {
            left.Add(Read(reader));
        }

        return left;
    }

    private static async Task<RoomRecording?> ChangedAsync(NpgsqlBatch batch, CancellationToken cancellationToken)
    {
        await using var reader = await batch.ReadAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) && reader.GetBoolean(13) ? Read(reader) : null;
    }

    private async Task<bool> RunAsync(RoomRecording recording, string sql, CancellationToken cancellationToken, params NpgsqlParameter[] others)
    {
        await using var batch = database.Scoped(recording.Organization, sql, [Id(recording.Id), .. others]);
        await using var reader = await batch.ReadAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) && !reader.IsDBNull(0);
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
