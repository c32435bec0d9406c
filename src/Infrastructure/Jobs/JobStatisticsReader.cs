using Npgsql;
using Vtp.Application.Operations.Jobs;

namespace Vtp.Infrastructure.Jobs;

/// <summary>What it costs grows with the kinds, and with no more than so many of each as are counted.</summary>
internal sealed class JobStatisticsReader(NpgsqlDataSource database, JobKinds kinds, TimeProvider clock) : IJobStatistics
{
    internal const int CountedUpTo = 10_000;
    private const int Minutes = 60;

    /// <summary>$1: kinds that are known; $2: at most so many; $3: now. Kinds are walked.</summary>
    internal const string OfKinds =
        """
        WITH RECURSIVE waiting AS (
            (SELECT kind FROM jobs WHERE state <> 'running' AND run_at IS NOT NULL ORDER BY kind LIMIT 1)
            UNION ALL
            SELECT (SELECT kind FROM jobs WHERE state <> 'running' AND run_at IS NOT NULL AND jobs.kind > waiting.kind ORDER BY kind LIMIT 1) FROM waiting WHERE waiting.kind IS NOT NULL
        ), dead AS (
            (SELECT kind FROM dead_jobs ORDER BY kind LIMIT 1)
            UNION ALL
            SELECT (SELECT kind FROM dead_jobs WHERE dead_jobs.kind > dead.kind ORDER BY kind LIMIT 1) FROM dead WHERE dead.kind IS NOT NULL
        ), named AS (
            SELECT unnest($1::text[]) AS kind
            UNION SELECT kind FROM waiting
            UNION SELECT kind FROM dead
            UNION SELECT kind FROM paused_job_kinds
            UNION SELECT kind FROM jobs WHERE state = 'running'
        )
        SELECT kind,
            (SELECT count(*) FROM (SELECT FROM jobs WHERE jobs.kind = named.kind AND state = 'scheduled' AND run_at IS NOT NULL LIMIT $2) AS counted)::integer,
            (SELECT count(*) FROM (SELECT FROM jobs WHERE jobs.kind = named.kind AND state = 'ready' AND run_at IS NOT NULL LIMIT $2) AS counted)::integer,
            (SELECT count(*) FROM (SELECT FROM jobs WHERE jobs.kind = named.kind AND state = 'running' LIMIT $2) AS counted)::integer,
            (SELECT count(*) FROM (SELECT FROM dead_jobs WHERE dead_jobs.kind = named.kind LIMIT $2) AS counted)::integer,
            least(
                (SELECT run_at FROM jobs WHERE jobs.kind = named.kind AND state = 'ready' AND run_at IS NOT NULL ORDER BY run_at LIMIT 1),
                (SELECT run_at FROM jobs WHERE jobs.kind = named.kind AND state = 'scheduled' AND run_at <= $3 ORDER BY run_at LIMIT 1)),
            EXISTS (SELECT FROM paused_job_kinds paused WHERE paused.kind = named.kind)
        FROM named WHERE kind IS NOT NULL
        """;

    /// <summary>$1, $2: the first minute and the last.</summary>
    private const string OfMinutes = "SELECT minute, kind, done, failed FROM job_minutes WHERE minute >= $1 AND minute <= $2";

    public async Task<JobStatistics> ReadAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var last = JobTally.MinuteOf(now);
        var first = last.AddMinutes(1 - Minutes);
        await using var batch = database.CreateBatch();
        Add(batch, JobStatements.AsSystem);
        Add(batch, OfKinds, Of<string[]>([.. kinds.All.Select(kind => kind.Name)]), Of(CountedUpTo), Of(now));
        Add(batch, OfMinutes, Of(first), Of(last));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        var found = new List<JobKindStatistics>();
        while (await reader.ReadAsync(cancellationToken))
        {
            found.Add(new JobKindStatistics(
                reader.GetString(0),
                reader.GetInt32(1),
                reader.GetInt32(2),
                reader.GetInt32(3),
                reader.GetInt32(4),
                reader.IsDBNull(5) ? null : Math.Max(0, (now - reader.GetFieldValue<DateTimeOffset>(5)).TotalSeconds),
                DoneLastHour: 0,
                FailedLastHour: 0,
                reader.GetBoolean(6)));
        }

        await reader.NextResultAsync(cancellationToken);
        var (byKind, byMinute) = (new Dictionary<string, (long Done, long Failed)>(StringComparer.Ordinal), new (long Done, long Failed)[Minutes]);
        while (await reader.ReadAsync(cancellationToken))
        {
            var (kind, done, failed) = (reader.GetString(1), reader.GetInt64(2), reader.GetInt64(3));
            var (ofKind, minute) = (byKind.GetValueOrDefault(kind), (int)(reader.GetFieldValue<DateTimeOffset>(0) - first).TotalMinutes);
            byKind[kind] = (ofKind.Done + done, ofKind.Failed + failed);
            byMinute[minute] = (byMinute[minute].Done + done, byMinute[minute].Failed + failed);
        }

        return new JobStatistics(
            [.. found.OrderBy(kind => kind.Kind, StringComparer.Ordinal).Select(WithLastHour)],
            [.. byMinute.Select((ended, minute) => new JobMinute(first.AddMinutes(minute), ended.Done, ended.Failed))],
            CountedUpTo);

        JobKindStatistics WithLastHour(JobKindStatistics kind)
        {
            var (done, failed) = byKind.GetValueOrDefault(kind.Kind);
            return kind with { DoneLastHour = done, FailedLastHour = failed };
        }
    }

    private static void Add(NpgsqlBatch batch, string sql, params NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.AddRange(parameters);
        batch.BatchCommands.Add(command);
    }

    private static NpgsqlParameter<T> Of<T>(T value) => new() { TypedValue = value };
}
