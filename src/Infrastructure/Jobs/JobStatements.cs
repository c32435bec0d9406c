namespace Vtp.Infrastructure.Jobs;

/// <summary>What the queue says to PostgreSQL. Each runs behind a setting that lets it see every organization.</summary>
internal static class JobStatements
{
    /// <summary>
    /// In front of each. One plan a connection, for planning costs as much as claiming does; by its indexes, for the queue that
    /// it was planned for may have been empty, or all of it running, a moment before a heap came.
    /// </summary>
    public const string AsSystem =
        """
        SELECT set_config('vtp.tenants', '*', true), set_config('plan_cache_mode', 'force_generic_plan', true), set_config('jit', 'off', true),
            set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)
        """;

    /// <summary>Claims come one at a time, so that turns are taken and limits hold across all nodes. Ends with the transaction.</summary>
    public const string OneAtATime = "SELECT pg_advisory_xact_lock(hashtext('vtp jobs'))";

    // A row is a node's own while it runs under the number of the node's claim.
    private const string IsMine = "state = 'running' AND jobs.id = mine.id AND jobs.claims = mine.claims";

    private const string Mine = "unnest($1::uuid[], $2::integer[]) AS mine (id, claims)";

    public const string Complete = $"DELETE FROM jobs USING {Mine} WHERE {IsMine} RETURNING jobs.id, jobs.claims";

    /// <summary>$3: seconds of each lease.</summary>
    public const string Renew =
        """
        UPDATE jobs SET leased_until = clock_timestamp() + make_interval(secs => mine.seconds)
        FROM unnest($1::uuid[], $2::integer[], $3::integer[]) AS mine (id, claims, seconds)
        WHERE state = 'running' AND jobs.id = mine.id AND jobs.claims = mine.claims RETURNING jobs.id, jobs.claims
        """;

    /// <summary>Every column that a job brings into the queue, in the order of <see cref="IntoQueue"/>.</summary>
    public const string IntoQueue =
        """
        INSERT INTO jobs (id, kind, organization_id, project_id, payload, unique_key, priority, max_attempts, actor_type, actor_id, trace_id, traceparent, enqueued_at,
            state, run_at, attempts, claims, errors)
        """;

    /// <summary>
    /// Of one unique key one job waits. Another one joins it: the sooner time counts, and what failed is remembered. The row
    /// is written even where nothing changes, for its lock keeps it from being claimed before this transaction, whose change it
    /// may be about, has committed.
    /// </summary>
    public const string OrJoin =
        """
        ON CONFLICT (kind, lane, unique_key) WHERE unique_key IS NOT NULL AND state <> 'running' DO UPDATE SET
            run_at = least(jobs.run_at, excluded.run_at),
            state = CASE WHEN jobs.state = 'ready' THEN 'ready' ELSE excluded.state END,
            priority = least(jobs.priority, excluded.priority),
            attempts = greatest(jobs.attempts, excluded.attempts),
            errors = (jobs.errors || excluded.errors)[cardinality(jobs.errors) + cardinality(excluded.errors) - 9:]
        """;

    // What ran comes back by the same way as what is new. Keys are taken in one order, so that none waits for another that
    // waits for it.
    private const string Again =
        $"{IntoQueue} SELECT id, kind, organization_id, project_id, payload, unique_key, priority, max_attempts, actor_type, actor_id, trace_id, traceparent, enqueued_at,";

    private const string InOrder = """ORDER BY kind COLLATE "C", unique_key COLLATE "C" """;

    /// <summary>An interrupted run is no attempt; other nodes are told at once.</summary>
    public const string GiveBack =
        $"""
        WITH mine AS (DELETE FROM jobs USING {Mine} WHERE {IsMine} RETURNING jobs.*)
        {Again} 'ready', run_at, attempts - 1, claims, errors FROM mine {InOrder} {OrJoin}
        """;

    /// <summary>$3: when to run again; $4: now; $5, $6: type and message of what failed.</summary>
    public const string Retry =
        $"""
        WITH mine AS (
            DELETE FROM jobs WHERE id = $1 AND claims = $2 AND state = 'running' RETURNING *
        ), again AS (
            {Again} 'scheduled', $3, attempts, claims, jobs_add_error(errors, attempts, $4, $5, $6) FROM mine {OrJoin}
        )
        SELECT id FROM mine
        """;

    /// <summary>As <see cref="Retry"/>, whose parameters it takes; $3 has no meaning here.</summary>
    public const string Bury =
        $"""
        WITH gone AS (DELETE FROM jobs WHERE id = $1 AND claims = $2 AND state = 'running' AND $3::timestamptz IS NOT NULL RETURNING *)
        {IntoDead} jobs_add_error(errors, attempts, $4, $5, $6), actor_type, actor_id, trace_id, traceparent, enqueued_at, $4 FROM gone RETURNING id
        """;

    private const string IntoDead =
        """
        INSERT INTO dead_jobs (id, kind, organization_id, project_id, payload, unique_key, priority, attempts, max_attempts, errors, actor_type, actor_id, trace_id, traceparent, enqueued_at, died_at)
        SELECT id, kind, organization_id, project_id, payload, unique_key, priority, attempts, max_attempts,
        """;

    /// <summary>What has become due. $1: now; $2: at most so many.</summary>
    public const string Promote =
        """
        UPDATE jobs SET state = 'ready' WHERE id = ANY (ARRAY(
            SELECT id FROM jobs WHERE state = 'scheduled' AND run_at <= $1 ORDER BY run_at LIMIT $2 FOR UPDATE SKIP LOCKED))
        """;

    /// <summary>Leases that ran out, by the database's clock. $1: now, for the history. A run that ended so counts: it may be what ends its node.</summary>
    public const string Rescue =
        $"""
        WITH lost AS (
            SELECT id FROM jobs WHERE state = 'running' AND leased_until < clock_timestamp() LIMIT 1000 FOR UPDATE SKIP LOCKED
        ), left_over AS (
            DELETE FROM jobs WHERE id = ANY (ARRAY(SELECT id FROM lost)) AND attempts < max_attempts RETURNING *
        ), again AS (
            {Again} 'ready', run_at, attempts, claims, {LeaseLost} FROM left_over {InOrder} {OrJoin}
        ), gone AS (
            DELETE FROM jobs WHERE id = ANY (ARRAY(SELECT id FROM lost)) AND attempts >= max_attempts RETURNING *
        ), buried AS (
            {IntoDead} {LeaseLost}, actor_type, actor_id, trace_id, traceparent, enqueued_at, $1 FROM gone RETURNING kind, true AS is_dead
        )
        SELECT kind, false AS is_dead FROM left_over UNION ALL SELECT kind, is_dead FROM buried
        """;

    private const string LeaseLost = "jobs_add_error(errors, attempts, $1, 'LeaseLost', 'The node that ran it stopped answering.')";

    /// <summary>
    /// Kinds that this version does not know, once they have been due for as long as an update of all nodes takes: until then a
    /// newer node may know them. $1: now; $2: known kinds; $3: due before. The kinds are walked, not the jobs.
    /// </summary>
    public const string BuryUnknown =
        $"""
        WITH RECURSIVE waiting AS (
            (SELECT kind FROM jobs WHERE state = 'ready' ORDER BY kind LIMIT 1)
            UNION ALL
            SELECT (SELECT kind FROM jobs WHERE state = 'ready' AND jobs.kind > waiting.kind ORDER BY kind LIMIT 1) FROM waiting WHERE waiting.kind IS NOT NULL
        ), gone AS (
            DELETE FROM jobs WHERE id = ANY (ARRAY(
                SELECT job.id FROM waiting CROSS JOIN LATERAL (
                    SELECT id FROM jobs WHERE state = 'ready' AND jobs.kind = waiting.kind AND run_at < $3 LIMIT 1000 FOR UPDATE SKIP LOCKED) job
                WHERE waiting.kind <> ALL ($2)))
            RETURNING *
        )
        {IntoDead} jobs_add_error(errors, attempts, $1, 'UnknownKind', format('No node knows jobs of kind %s.', kind)),
            actor_type, actor_id, trace_id, traceparent, enqueued_at, $1 FROM gone RETURNING kind
        """;

    /// <summary>$1..$4: minutes, kinds, and how many runs of each were done and failed.</summary>
    public const string Count =
        """
        INSERT INTO job_minutes (minute, kind, done, failed) SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::bigint[], $4::bigint[])
        ON CONFLICT (minute, kind) DO UPDATE SET done = job_minutes.done + excluded.done, failed = job_minutes.failed + excluded.failed
        """;

    /// <summary>The kinds are walked, and of each the first is looked at.</summary>
    public const string Oldest =
        """
        WITH RECURSIVE waiting AS (
            (SELECT kind FROM jobs WHERE state = 'ready' ORDER BY kind LIMIT 1)
            UNION ALL
            SELECT (SELECT kind FROM jobs WHERE state = 'ready' AND jobs.kind > waiting.kind ORDER BY kind LIMIT 1) FROM waiting WHERE waiting.kind IS NOT NULL
        )
        SELECT min(first.run_at) FROM waiting CROSS JOIN LATERAL (
            SELECT run_at FROM jobs WHERE jobs.kind = waiting.kind AND state = 'ready' AND run_at IS NOT NULL ORDER BY run_at LIMIT 1) first
        """;

    /// <summary>The same job once more, with its history and all its attempts before it. $1: its id; $2: now.</summary>
    public const string Replay = $"WITH gone AS (DELETE FROM dead_jobs WHERE id = $1 RETURNING *) {Again} 'ready', $2, 0, 0, errors FROM gone {OrJoin}";

    /// <summary>
    /// As <see cref="Replay"/>, of $1, a kind: the oldest $2 that were dead at $3, which is now. Of one unique key there may be
    /// several, of which one comes back.
    /// </summary>
    public const string ReplayKind =
        $"""
        WITH gone AS (
            DELETE FROM dead_jobs WHERE id = ANY (ARRAY(
                SELECT id FROM dead_jobs WHERE kind = $1 AND died_at <= $3 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING *
        ), again AS (
            {Again} 'ready', $3, 0, 0, errors FROM (
                SELECT DISTINCT ON (organization_id, coalesce(unique_key, id::text)) * FROM gone
                ORDER BY organization_id, coalesce(unique_key, id::text), id DESC) last {InOrder} {OrJoin}
        )
        SELECT count(*)::integer FROM gone
        """;

    /// <summary>
    /// Takes jobs in turn: of each kind one lane after another, beginning behind the lane that was served last, then the second
    /// of each lane, and so on. What it costs grows with the lanes that it walks and the jobs that it takes, not with those that
    /// wait. A job whose unique key runs is passed over until that run has ended; there are no more of them than there are
    /// runs. That a candidate is still ready is asked so that it is found by its id and not by walking those that are. $1..$6: each kind with its free slots here, its limit per lane, its lease in seconds, the lane served last, and
    /// whether it has places of its own; $7: jobs of all kinds that have not; $8: lanes to walk, after which the next claim
    /// goes on.
    /// </summary>
    public const string Claim =
        """
        WITH RECURSIVE wanted AS (
            SELECT * FROM unnest($1::text[], $2::integer[], $3::integer[], $4::integer[], $5::uuid[], $6::boolean[])
                AS wanted (kind, slots, per_lane, seconds, after, is_own)
            WHERE kind <> ALL (ARRAY(SELECT paused.kind FROM paused_job_kinds AS paused))
        ), walk AS (
            SELECT wanted.*, next.lane, next.lap, 1 AS step
            FROM wanted CROSS JOIN LATERAL (
                (SELECT jobs.lane, 0 AS lap FROM jobs WHERE state = 'ready' AND jobs.kind = wanted.kind AND jobs.lane > wanted.after ORDER BY jobs.lane LIMIT 1)
                UNION ALL
                (SELECT jobs.lane, 1 FROM jobs WHERE state = 'ready' AND jobs.kind = wanted.kind ORDER BY jobs.lane LIMIT 1)
                ORDER BY lap LIMIT 1) next
            UNION ALL
            SELECT walk.kind, walk.slots, walk.per_lane, walk.seconds, walk.after, walk.is_own, next.lane, next.lap, walk.step + 1
            FROM walk CROSS JOIN LATERAL (
                (SELECT jobs.lane, walk.lap FROM jobs WHERE state = 'ready' AND jobs.kind = walk.kind AND jobs.lane > walk.lane ORDER BY jobs.lane LIMIT 1)
                UNION ALL
                (SELECT jobs.lane, 1 FROM jobs WHERE state = 'ready' AND jobs.kind = walk.kind AND walk.lap = 0 ORDER BY jobs.lane LIMIT 1)
                ORDER BY lap LIMIT 1) next
            WHERE walk.step < $8 AND (next.lap = 0 OR next.lane <= walk.after)
        ), lanes AS (
            SELECT walk.*, least(
                ceil(walk.slots::numeric / count(*) OVER (PARTITION BY walk.kind)),
                CASE walk.per_lane WHEN 0 THEN walk.slots ELSE greatest(0, walk.per_lane - (
                    SELECT count(*) FROM jobs WHERE state = 'running' AND jobs.kind = walk.kind AND jobs.lane = walk.lane)) END)::integer AS share
            FROM walk
        ), candidates AS (
            SELECT job.id, lanes.slots, lanes.is_own, row_number() OVER (PARTITION BY lanes.kind ORDER BY job.turn, lanes.step) AS place
            FROM lanes CROSS JOIN LATERAL (
                SELECT first.id, row_number() OVER (ORDER BY first.priority, first.run_at, first.id) AS turn FROM (
                    SELECT jobs.id, jobs.priority, jobs.run_at FROM jobs
                    WHERE state = 'ready' AND jobs.kind = lanes.kind AND jobs.lane = lanes.lane AND (jobs.unique_key IS NULL OR NOT EXISTS (
                        SELECT FROM jobs AS run WHERE run.state = 'running' AND run.kind = jobs.kind AND run.lane = jobs.lane AND run.unique_key = jobs.unique_key))
                    ORDER BY jobs.priority, jobs.run_at, jobs.id LIMIT lanes.share) first) job
        ), chosen AS (
            SELECT id, place FROM (
                SELECT id, place, is_own, row_number() OVER (PARTITION BY is_own ORDER BY place) AS turn FROM candidates WHERE place <= slots) first
            WHERE is_own OR turn <= $7
        ), claimed AS (
            UPDATE jobs SET state = 'running', attempts = attempts + 1, claims = claims + 1,
                leased_until = clock_timestamp() + make_interval(secs => (SELECT seconds FROM wanted WHERE wanted.kind = jobs.kind))
            WHERE id = ANY (ARRAY(SELECT id FROM jobs WHERE id = ANY (ARRAY(SELECT id FROM chosen)) AND state IS NOT DISTINCT FROM 'ready' FOR UPDATE SKIP LOCKED))
            RETURNING id, claims, kind, lane, organization_id, project_id, payload, attempts, max_attempts, traceparent,
                (SELECT audit_retention_days FROM organizations WHERE organizations.id = jobs.organization_id) AS retention_days
        )
        SELECT walked.kind, coalesce(claimed.lane, walked.lane), claimed.id, claims, organization_id, project_id, payload, attempts, max_attempts, traceparent, retention_days
        FROM (SELECT DISTINCT ON (kind) kind, lane FROM walk ORDER BY kind, step DESC) walked
        LEFT JOIN claimed ON claimed.kind = walked.kind LEFT JOIN chosen ON chosen.id = claimed.id
        ORDER BY place
        """;
}
