namespace Vtp.Infrastructure.Events;

internal static class EventStatements
{
    /// <summary>Whether there is anything to do, for next to nothing: what has no position, the head of the log, and how far consumers are.</summary>
    public const string Look =
        """
        SELECT EXISTS (SELECT FROM events WHERE position IS NULL), position, (SELECT coalesce(min(position), 0) FROM event_consumers WHERE name = ANY ($1))
        FROM event_log
        """;

    /// <summary>One node at a time. The statements behind it see what was committed before this one.</summary>
    public const string LockLog = "SELECT FROM event_log FOR UPDATE";

    /// <summary>
    /// Numbers what has been committed, in the order in which it was written, without gaps. $1: at most so many. What is
    /// still uncommitted is numbered once it is, behind all that was read before.
    /// </summary>
    public const string Place =
        """
        WITH batch AS (
            SELECT id, recorded_at, (SELECT position FROM event_log) + row_number() OVER (ORDER BY sequence) AS position
            FROM (SELECT id, recorded_at, sequence FROM events WHERE position IS NULL ORDER BY sequence LIMIT $1) unplaced
        ), placed AS (
            UPDATE events SET position = batch.position FROM batch
            WHERE events.id = batch.id AND events.recorded_at = batch.recorded_at RETURNING events.position
        )
        UPDATE event_log SET position = (SELECT max(position) FROM placed) WHERE EXISTS (SELECT FROM placed)
        RETURNING position, (SELECT count(*) FROM placed), pg_notify('vtp_events', '')
        """;

    /// <summary>A new consumer begins with what happens from now on.</summary>
    public const string Register =
        "INSERT INTO event_consumers (name, position) SELECT $1, position FROM event_log ON CONFLICT DO NOTHING";

    public const string LockConsumer = "SELECT position FROM event_consumers WHERE name = $1 FOR UPDATE";

    /// <summary>$1: the consumer; $2: how far it has come.</summary>
    public const string Advance = "UPDATE event_consumers SET position = $2 WHERE name = $1";

    public const string Columns =
        "id, type, organization_id, project_id, subject, data, actor_type, actor_id, trace_id, occurred_at, position";

    /// <summary>
    /// Of organizations $1 what comes behind position $2, at most $3; each organization's part by its own index. $4: types,
    /// null for all; $5: so many are looked at for them; $6: a project, null for all. The first row alone always comes: how
    /// far it looked, the head of the log as the same snapshot has it, and the last position that is not kept.
    /// </summary>
    public static string Read(bool isOfProject) =>
        $"""
        WITH scanned AS MATERIALIZED (
            SELECT found.* FROM unnest($1) AS organization CROSS JOIN LATERAL (
                SELECT {Columns} FROM events
                WHERE organization_id = organization AND {(isOfProject ? "project_id = $6" : "$6::uuid IS NULL")} AND position > $2
                ORDER BY position LIMIT $5) found
            ORDER BY position LIMIT $5
        )
        SELECT (SELECT count(*) FROM scanned), (SELECT max(position) FROM scanned), event_log.position, dropped, found.*
        FROM event_log LEFT JOIN (
            SELECT * FROM scanned WHERE $4::text[] IS NULL OR type = ANY ($4) ORDER BY position LIMIT $3) found ON true
        ORDER BY found.position
        """;

    /// <summary>$1: its id; $2: organizations in view; $3: the only project in view, or null.</summary>
    public const string Find = $"SELECT {Columns} FROM events WHERE id = $1 AND organization_id = ANY ($2) AND ($3::uuid IS NULL OR project_id = $3) AND position IS NOT NULL";
}
