using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Vtp.Application.Operations.Jobs;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Jobs;

/// <summary>Ids grow with time, so that both tables are read newest first by their primary keys.</summary>
internal sealed class JobAdministration(NpgsqlDataSource database, DeadJobs dead, JobKinds kinds, TimeProvider clock) : IJobAdministration
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNameCaseInsensitive = true };

    private const string Columns = "id, kind, organization_id, project_id, unique_key, attempts, max_attempts, payload::text, to_jsonb(errors)::text, enqueued_at";

    private const string Select =
        $"""
        SELECT * FROM (
            (SELECT {Columns}, state, run_at FROM jobs WHERE {Fits} AND ($4 IS NULL OR state = $4) ORDER BY id DESC LIMIT $5)
            UNION ALL
            (SELECT {Columns}, 'dead', died_at FROM dead_jobs WHERE {Fits} AND ($4 IS NULL OR $4 = 'dead') ORDER BY id DESC LIMIT $5)
        ) found ORDER BY id DESC LIMIT $5
        """;

    private const string Fits = "($1 IS NULL OR kind = $1) AND ($2 IS NULL OR organization_id = $2) AND ($3 IS NULL OR id < $3) AND ($6 IS NULL OR (cardinality(errors) > 0) = $6)";

    private const string Find =
        $"SELECT {Columns}, state, run_at FROM jobs WHERE id = $1 UNION ALL SELECT {Columns}, 'dead', died_at FROM dead_jobs WHERE id = $1";

    public async Task<IReadOnlyList<JobView>> ListAsync(
        JobState? state, string? kind, Guid? organization, bool? hasFailed, Guid? before, int limit, CancellationToken cancellationToken) =>
        await ReadAsync(
            Select,
            cancellationToken,
            Nullable(NpgsqlDbType.Text, kind),
            Nullable(NpgsqlDbType.Uuid, organization),
            Nullable(NpgsqlDbType.Uuid, before),
            Nullable(NpgsqlDbType.Text, state?.ToString().ToLowerInvariant()),
            new NpgsqlParameter<int> { TypedValue = limit },
            Nullable(NpgsqlDbType.Boolean, hasFailed));

    public async Task<JobView?> FindAsync(Guid id, CancellationToken cancellationToken) =>
        (await ReadAsync(Find, cancellationToken, new NpgsqlParameter<Guid> { TypedValue = id })).FirstOrDefault();

    public async Task<bool> RetryAsync(Guid id, CancellationToken cancellationToken) =>
        await dead.ReplayAsync(id, cancellationToken)
        || await ChangeAsync("UPDATE jobs SET state = 'ready', run_at = least(run_at, $2) WHERE id = $1 AND state <> 'running'", id, cancellationToken, Now());

    public async Task<bool> DeleteAsync(Guid id, CancellationToken cancellationToken) =>
        await ChangeAsync("DELETE FROM dead_jobs WHERE id = $1", id, cancellationToken)
        || await ChangeAsync("DELETE FROM jobs WHERE id = $1 AND state <> 'running'", id, cancellationToken);

    public Task<int> ReplayAsync(string kind, int limit, CancellationToken cancellationToken) => dead.ReplayAsync(kind, limit, cancellationToken);

    public async Task<bool> PauseKindAsync(string kind, CancellationToken cancellationToken)
    {
        if (!kinds.Knows(kind))
        {
            return false;
        }

        await using var batch = database.CreateSystemCommand(
            "INSERT INTO paused_job_kinds (kind, paused_at) VALUES ($1, $2) ON CONFLICT DO NOTHING", new NpgsqlParameter<string> { TypedValue = kind }, Now());
        await batch.ExecuteNonQueryAsync(cancellationToken);
        return true;
    }

    public async Task<bool> ResumeKindAsync(string kind, CancellationToken cancellationToken)
    {
        // One that a newer version has paused, too.
        await using var batch = database.CreateSystemCommand("DELETE FROM paused_job_kinds WHERE kind = $1", new NpgsqlParameter<string> { TypedValue = kind });
        await batch.ExecuteNonQueryAsync(cancellationToken);
        return batch.BatchCommands[^1].RecordsAffected == 1 || kinds.Knows(kind);
    }

    private static NpgsqlParameter Nullable(NpgsqlDbType type, object? value) => new() { NpgsqlDbType = type, Value = value ?? DBNull.Value };

    private NpgsqlParameter<DateTimeOffset> Now() => new() { TypedValue = clock.GetUtcNow() };

    private async Task<bool> ChangeAsync(string sql, Guid id, CancellationToken cancellationToken, params NpgsqlParameter[] others)
    {
        await using var batch = database.CreateSystemCommand(sql, [new NpgsqlParameter<Guid> { TypedValue = id }, .. others]);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        return batch.BatchCommands[^1].RecordsAffected == 1;
    }

    private async Task<List<JobView>> ReadAsync(string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var batch = database.CreateSystemCommand(sql, parameters);
        await using var reader = await batch.ReadAsync(cancellationToken);
        var jobs = new List<JobView>();
        while (await reader.ReadAsync(cancellationToken))
        {
            jobs.Add(new JobView(
                reader.GetGuid(0),
                reader.GetString(1),
                Enum.Parse<JobState>(reader.GetString(10), ignoreCase: true),
                reader.IsDBNull(2) ? null : reader.GetGuid(2),
                reader.IsDBNull(3) ? null : reader.GetGuid(3),
                reader.IsDBNull(4) ? null : reader.GetString(4),
                reader.GetFieldValue<DateTimeOffset>(11),
                reader.GetInt32(5),
                reader.GetInt32(6),
                reader.GetString(7),
                JsonSerializer.Deserialize<List<JobError>>(reader.GetString(8), Json)!,
                reader.GetFieldValue<DateTimeOffset>(9)));
        }

        return jobs;
    }
}
