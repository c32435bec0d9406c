using Vtp.Infrastructure.Jobs;

namespace Vtp.Infrastructure.Webhooks;

internal static class WebhookStatements
{
    // As EventView, which GET /events answers: the same event is the same JSON. Made once, for the same bytes go out each time.
    private const string Body =
        """
        json_build_object('id', event.id, 'type', event.type, 'event', event.type,
            'timestamp', rtrim(rtrim(to_char(event.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '0'), '.') || 'Z',
            'organization_id', event.organization_id, 'project_id', event.project_id, 'subject', event.subject,
            'actor', json_build_object('type', event.actor_type, 'id', event.actor_id), 'trace_id', event.trace_id,
            'data', CASE endpoint.payload WHEN 'thin' THEN json_build_object('id', event.subject) ELSE event.data END)::text
        """;

    private const string IntoDeliveries =
        """
        INSERT INTO webhook_deliveries (id, endpoint_id, organization_id, project_id, event_id, event_type, subject, position, body, traceparent, state, next_attempt_at, created_at)
        """;

    private static string Enqueue(string now, string kind, string attempts, string traceparent) =>
        $"""
        {JobStatements.IntoQueue}
        SELECT gen_random_uuid(), {kind}, organization_id, project_id, json_build_object('EndpointId', endpoint_id), endpoint_id::text, 0, {attempts},
            'system', NULL, NULL, {traceparent}, {now}, 'ready', {now}, 0, 0, ARRAY[]::jsonb[]
        """;

    // A pattern is a type, or its beginning and a star.
    private static string Matches(string patterns) =>
        $"""
        EXISTS (SELECT FROM unnest({patterns}) AS pattern
            WHERE CASE WHEN right(pattern, 1) = '*' THEN starts_with(event.type, left(pattern, -1)) ELSE event.type = pattern END)
        """;

    /// <summary>
    /// What happened between positions $1 and $2, for each endpoint that is to hear of it; then the jobs that send it, one an
    /// endpoint (below the event that came to it), and those of what was restored, for which deliveries have waited. $3: now; $4: the kind of the job; $5: its
    /// attempts.
    /// </summary>
    public static readonly string FanOut =
        $"""
        WITH added AS (
            {IntoDeliveries}
            SELECT gen_random_uuid(), endpoint.id, event.organization_id, event.project_id, event.id, event.type, event.subject, event.position,
                {Body}, event.traceparent, 'pending', $3, event.occurred_at
            FROM events event
            JOIN webhook_endpoints endpoint ON endpoint.project_id = event.project_id AND endpoint.is_enabled
            JOIN webhook_health health ON health.endpoint_id = endpoint.id AND health.disabled_at IS NULL
            WHERE event.position > $1 AND event.position <= $2 AND CASE event.type
                WHEN 'webhook.test' THEN endpoint.id::text = event.subject
                ELSE endpoint.event_types = ARRAY[]::text[] OR {Matches("endpoint.event_types")} END
            RETURNING endpoint_id, organization_id, project_id, traceparent
        ), woken AS (
            SELECT endpoint_id, organization_id, project_id, min(traceparent) AS traceparent FROM (
                SELECT endpoint_id, organization_id, project_id, traceparent FROM added
                UNION ALL
                SELECT endpoint.id, endpoint.organization_id, endpoint.project_id, event.traceparent FROM events event
                JOIN webhook_endpoints endpoint ON endpoint.organization_id = event.organization_id
                    AND (event.type = 'organization.restored' OR endpoint.project_id = event.project_id)
                WHERE event.position > $1 AND event.position <= $2 AND event.type IN ('organization.restored', 'project.restored')) told
            GROUP BY endpoint_id, organization_id, project_id
        )
        {Enqueue("$3", "$4", "$5", "traceparent")} FROM woken ORDER BY endpoint_id::text COLLATE "C"
        {JobStatements.OrJoin}
        """;

    /// <summary>The job of each endpoint that has had something due since $1. $2: now; $3: the kind of the job; $4: its attempts.</summary>
    public static readonly string WakeOverdue =
        $"""
        {Enqueue("$2", "$3", "$4", "NULL")} FROM (
            SELECT endpoint.id AS endpoint_id, endpoint.organization_id, endpoint.project_id FROM webhook_endpoints endpoint
            JOIN webhook_health health ON health.endpoint_id = endpoint.id AND health.disabled_at IS NULL
            WHERE endpoint.is_enabled AND EXISTS (
                SELECT FROM webhook_deliveries delivery
                WHERE delivery.endpoint_id = endpoint.id AND delivery.state = 'pending' AND delivery.next_attempt_at <= $1)) endpoints
        ORDER BY endpoint_id::text COLLATE "C"
        {JobStatements.OrJoin}
        """;

    /// <summary>$1: the endpoint; $2: now.</summary>
    public const string Open =
        """
        SELECT url, ordering, signs_body, retry_seconds, state::text, ARRAY(
            SELECT secret FROM webhook_secrets WHERE endpoint_id = endpoint.id AND (expires_at IS NULL OR expires_at > $2) ORDER BY id DESC)
        FROM webhook_endpoints endpoint
        JOIN webhook_health health ON health.endpoint_id = endpoint.id AND health.disabled_at IS NULL
        JOIN projects project ON project.id = endpoint.project_id AND project.deleted_at IS NULL
        JOIN organizations organization ON organization.id = endpoint.organization_id AND organization.deleted_at IS NULL
        WHERE endpoint.id = $1 AND endpoint.is_enabled
        """;

    /// <summary>$1: the endpoint; $2: now; $3: at most so many.</summary>
    public const string Take =
        """
        SELECT id, recorded_at, event_id, body, attempts, earlier_attempts, traceparent FROM webhook_deliveries
        WHERE endpoint_id = $1 AND state = 'pending' AND next_attempt_at <= $2 ORDER BY next_attempt_at, position LIMIT $3
        """;

    /// <summary>As <see cref="Take"/>; the first of each subject alone, unless those before it have failed four times: then nobody waits for them.</summary>
    public const string TakeInOrder =
        """
        SELECT id, recorded_at, event_id, body, attempts, earlier_attempts, traceparent FROM webhook_deliveries delivery
        WHERE endpoint_id = $1 AND state = 'pending' AND next_attempt_at <= $2 AND NOT EXISTS (
            SELECT FROM webhook_deliveries earlier
            WHERE earlier.endpoint_id = $1 AND earlier.subject = delivery.subject AND earlier.state = 'pending' AND earlier.position < delivery.position
                AND earlier.attempts < 4)
        ORDER BY position LIMIT $3
        """;

    /// <summary>$1: the endpoint; $2: after when.</summary>
    public const string NextDue = "SELECT min(next_attempt_at) FROM webhook_deliveries WHERE endpoint_id = $1 AND state = 'pending' AND next_attempt_at > $2";

    /// <summary>$1..$8: by delivery: id, partition, state, next attempt, time, status, error, time of settling.</summary>
    public const string SettleDeliveries =
        """
        UPDATE webhook_deliveries SET state = made.state, attempts = attempts + 1, next_attempt_at = made.next, last_attempt_at = made.at,
            last_status = made.status, last_error = made.error, settled_at = made.settled
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) AS made (id, recorded_at, state, next, at, status, error, settled)
        WHERE webhook_deliveries.id = made.id AND webhook_deliveries.recorded_at = made.recorded_at AND webhook_deliveries.state = 'pending'
        """;

    /// <summary>$1: the endpoint; $2: its address; $3..$13: by attempt.</summary>
    public const string AddAttempts =
        """
        INSERT INTO webhook_attempts (id, delivery_id, endpoint_id, organization_id, project_id, number, url, request_headers, outcome, status,
            response_body, is_truncated, error, duration_ms, attempted_at)
        SELECT made.id, delivery_id, endpoint.id, organization_id, project_id, number, $2, headers::json, outcome, status, body, is_truncated, error, duration, at
        FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) AS made (id, delivery_id, number, headers, outcome, status, body, is_truncated, error, duration, at)
        CROSS JOIN webhook_endpoints endpoint WHERE endpoint.id = $1
        """;

    /// <summary>$1: the endpoint; $2: the breaker's state; $3: since when it is disabled; $4, $5: last attempt and last success, null for unchanged.</summary>
    public const string SetHealth =
        """
        UPDATE webhook_health SET state = $2, disabled_at = $3, last_attempt_at = coalesce($4, last_attempt_at), last_success_at = coalesce($5, last_success_at)
        WHERE endpoint_id = $1
        """;

    /// <summary>Nothing waits for an endpoint that is sent nothing more; a replay brings it back. $1: the endpoint; $2: now.</summary>
    public const string GiveUp =
        """
        UPDATE webhook_deliveries SET state = 'failed', settled_at = $2, next_attempt_at = NULL, last_error = coalesce(last_error, 'The endpoint was disabled before this was sent.')
        WHERE endpoint_id = $1 AND state = 'pending'
        """;

    /// <summary>$1: an endpoint, perhaps.</summary>
    public const string ForgetRemoved =
        "DELETE FROM webhook_deliveries WHERE endpoint_id = $1 AND state = 'pending' AND NOT EXISTS (SELECT FROM webhook_endpoints WHERE id = $1)";

    // Of the endpoint's project and types, in the stretch of time.
    private static readonly string Wanted = $"event.occurred_at >= $2 AND event.occurred_at < $3 AND ($4 = ARRAY[]::text[] OR {Matches("$4")})";

    /// <summary>$1: the endpoint; $2, $3: from and to; $4: patterns of types; $5: states; $6: at most; $7: now.</summary>
    public static readonly string ReplayDeliveries =
        $"""
        WITH chosen AS (
            SELECT event.id, event.recorded_at, event.created_at FROM (SELECT *, event_type AS type, created_at AS occurred_at FROM webhook_deliveries) event
            WHERE endpoint_id = $1 AND state = ANY ($5) AND {Wanted} ORDER BY event.occurred_at, event.id LIMIT $6
        ), again AS (
            UPDATE webhook_deliveries SET state = 'pending', earlier_attempts = earlier_attempts + attempts, attempts = 0, next_attempt_at = $7, settled_at = NULL
            FROM chosen WHERE webhook_deliveries.id = chosen.id AND webhook_deliveries.recorded_at = chosen.recorded_at
            RETURNING chosen.created_at
        )
        SELECT count(*)::integer, max(created_at) FROM again
        """;

    /// <summary>Likewise for events that were handed out without a delivery; $5 has no meaning here.</summary>
    public static readonly string ReplayMissing =
        $"""
        WITH again AS (
            {IntoDeliveries}
            SELECT gen_random_uuid(), endpoint.id, event.organization_id, event.project_id, event.id, event.type, event.subject, event.position,
                {Body}, event.traceparent, 'pending', $7, event.occurred_at
            FROM webhook_endpoints endpoint JOIN events event ON event.project_id = endpoint.project_id
                AND event.position <= (SELECT position FROM event_consumers WHERE name = 'webhooks')
            WHERE endpoint.id = $1 AND $5::text[] IS NOT NULL AND event.type <> 'webhook.test' AND {Wanted}
                AND NOT EXISTS (SELECT FROM webhook_deliveries known WHERE known.event_id = event.id AND known.endpoint_id = endpoint.id)
            ORDER BY event.position LIMIT $6
            RETURNING created_at
        )
        SELECT count(*)::integer, max(created_at) FROM again
        """;
}
