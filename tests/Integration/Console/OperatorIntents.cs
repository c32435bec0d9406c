using Vtp.Integration.Fixture;

namespace Vtp.Integration.Console;

/// <summary>What administrators find in the console.</summary>
internal static class OperatorIntents
{
    /// <summary>Its work is done by any server in a moment, when it is begun anew.</summary>
    public const string Harmless = "jobs.remove_old";

    /// <summary>A job that was given up.</summary>
    public static Task<Guid> DeadJobAsync(this VtpApi api, string message = "broken", string kind = Harmless) => api.QueryAsync<Guid>(
        """
        INSERT INTO dead_jobs (id, kind, payload, priority, attempts, max_attempts, errors, actor_type, enqueued_at, died_at)
        VALUES ($1, $3, '{}', 0, 2, 2, ARRAY[
            jsonb_build_object('attempt', 1, 'at', now(), 'type', 'InvalidDataException', 'message', 'at first'),
            jsonb_build_object('attempt', 2, 'at', now(), 'type', 'InvalidDataException', 'message', $2::text)], 'system', now(), now())
        RETURNING id
        """,
        Guid.CreateVersion7(),
        message,
        kind);

    /// <summary>A job that waits for its time, after so many failures.</summary>
    public static Task<Guid> WaitingJobAsync(this VtpApi api, int failures, string kind = Harmless) => api.QueryAsync<Guid>(
        """
        INSERT INTO jobs (id, kind, payload, state, run_at, priority, attempts, max_attempts, errors, actor_type, enqueued_at)
        SELECT $1, $3, '{}', 'scheduled', now() + interval '1 day', 0, $2::int, 9,
            coalesce((SELECT array_agg(jsonb_build_object('attempt', n, 'at', now(), 'type', 'TimeoutException', 'message', 'no answer')) FROM generate_series(1, $2::int) n), '{}'),
            'system', now()
        RETURNING id
        """,
        Guid.CreateVersion7(),
        failures,
        kind);
}
