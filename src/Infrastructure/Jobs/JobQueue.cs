using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;
using NpgsqlTypes;
using Vtp.Application.Common;
using Vtp.Application.Common.Pipeline;
using Vtp.Domain.Common;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Jobs;

/// <summary>The jobs that one unit of work has enqueued and not yet saved.</summary>
internal sealed class JobQueue(JobKinds kinds, ICaller caller, TenantScope tenant, TimeProvider clock, JobMetrics metrics)
{
    private const string Insert =
        $"""
        {JobStatements.IntoQueue}
        SELECT id, kind, organization_id, project_id, payload::json, unique_key, priority, max_attempts, @actor_type, @actor_id, @trace_id, @traceparent, @now,
            CASE WHEN run_at <= @now THEN 'ready' ELSE 'scheduled' END, run_at, 0, 0, ARRAY[]::jsonb[]
        FROM unnest(@ids, @kinds, @organizations, @projects, @payloads, @unique_keys, @priorities, @run_ats, @max_attempts)
            AS added (id, kind, organization_id, project_id, payload, unique_key, priority, run_at, max_attempts)
        {JobStatements.OrJoin}
        """;

    // Anybody may leave work for the installation itself, but nobody sees it, and what cannot be seen cannot be joined.
    private const string InsertOwn = $"SELECT set_config('vtp.tenants', '*', true); {Insert}; SELECT set_config('vtp.tenants', '', true)";

    private readonly List<Job> _unsaved = [];

    public bool IsEmpty => _unsaved.Count == 0;

    public void Add(ICommand<Done> command, DateTimeOffset? runAt, string? uniqueKey, short priority)
    {
        var (kind, now) = (kinds.Of(command), clock.GetUtcNow());
        _unsaved.Add(new Job(
            Uuid.NewVersion7(now), kind, tenant.Organization?.Value, tenant.Project?.Value, JobKinds.Write(command), uniqueKey, priority, (runAt ?? now).ToUniversalTime()));
    }

    public void Forget() => _unsaved.Clear();

    /// <summary>
    /// Into the transaction that is open. Transactions with the same unique key come one after another, from here to their
    /// commit.
    /// </summary>
    public async Task WriteAsync(DatabaseFacade database, CancellationToken cancellationToken)
    {
        // All transactions take keys in one order, so that none waits for another that waits for it.
        Job[] jobs = [.. OncePerKey(_unsaved).OrderBy(job => job.Kind.Name, StringComparer.Ordinal).ThenBy(job => job.UniqueKey, StringComparer.Ordinal)];
        _unsaved.Clear();
        var (actorType, actorId) = caller.Actor();
        await database.ExecuteSqlRawAsync(
            tenant.Organization is null ? InsertOwn : Insert,
            [
                SqlArray.Of("ids", NpgsqlDbType.Uuid, jobs, job => job.Id),
                SqlArray.Of("kinds", NpgsqlDbType.Text, jobs, job => job.Kind.Name),
                SqlArray.Of("organizations", NpgsqlDbType.Uuid, jobs, job => job.Organization),
                SqlArray.Of("projects", NpgsqlDbType.Uuid, jobs, job => job.Project),
                SqlArray.Of("payloads", NpgsqlDbType.Text, jobs, job => job.Payload),
                SqlArray.Of("unique_keys", NpgsqlDbType.Text, jobs, job => job.UniqueKey),
                SqlArray.Of("priorities", NpgsqlDbType.Smallint, jobs, job => job.Priority),
                SqlArray.Of("run_ats", NpgsqlDbType.TimestampTz, jobs, job => job.RunAt),
                SqlArray.Of("max_attempts", NpgsqlDbType.Integer, jobs, job => job.Kind.Policy.MaxAttempts),
                new NpgsqlParameter("now", NpgsqlDbType.TimestampTz) { Value = clock.GetUtcNow() },
                new NpgsqlParameter("actor_type", NpgsqlDbType.Text) { Value = actorType.ToString().ToLowerInvariant() },
                new NpgsqlParameter("actor_id", NpgsqlDbType.Uuid) { Value = (object?)actorId ?? DBNull.Value },
                new NpgsqlParameter("trace_id", NpgsqlDbType.Text) { Value = (object?)caller.TraceId ?? DBNull.Value },
                new NpgsqlParameter("traceparent", NpgsqlDbType.Text) { Value = (object?)TraceContext.Current ?? DBNull.Value },
            ],
            cancellationToken);
        foreach (var job in jobs)
        {
            metrics.Enqueued(job.Kind.Name);
        }
    }

    private static IEnumerable<Job> OncePerKey(IEnumerable<Job> jobs) =>
        jobs.GroupBy(job => (job.Kind, Key: job.UniqueKey ?? job.Id.ToString())).Select(same => same.First() with
        {
            RunAt = same.Min(job => job.RunAt),
            Priority = same.Min(job => job.Priority),
        });

    private sealed record Job(Guid Id, JobKind Kind, Guid? Organization, Guid? Project, string Payload, string? UniqueKey, short Priority, DateTimeOffset RunAt);
}
