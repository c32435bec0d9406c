using Npgsql;
using Vtp.Application.Common;

namespace Vtp.Infrastructure.Jobs;

/// <summary>A job in this node's hands, as long as the number of its claim is the row's.</summary>
internal sealed record ClaimedJob(
    Guid Id, int Claim, JobKind Kind, Guid? Organization, Guid? Project, string Payload, int Attempt, int MaxAttempts, string? TraceParent, int? RetentionDays);

/// <summary>Of one kind: how many more this node can run, and behind which lane its turn is.</summary>
internal sealed record Wanted(JobKind Kind, int Slots, Guid After);

/// <param name="LastLane">Of each kind that has any waiting: where the next claim begins.</param>
internal sealed record Turn(
    HashSet<(Guid Id, int Claim)> Completed, List<ClaimedJob> Claimed, Dictionary<string, Guid> LastLane);

/// <summary>The two tables of jobs. Any number of nodes works on them.</summary>
internal sealed class JobStore(NpgsqlDataSource database, JobKinds kinds, JobMetrics metrics, JobTally tally, TimeProvider clock)
{
    // A claim walks so many tenants of a kind at most; the next one goes on where it ended.
    private const int LanesPerClaim = 200;
    private const int PromotedAtOnce = 1000;

    /// <summary>A rolling update of all nodes should be over by then.</summary>
    internal static readonly TimeSpan UnknownFor = TimeSpan.FromMinutes(10);

    /// <summary>One transaction: what is done goes, and others come in its place.</summary>
    /// <param name="done">Of this node.</param>
    /// <param name="wanted">Kinds that have a place.</param>
    /// <param name="total">Of all kinds without places of their own together.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<Turn> TakeTurnAsync(
        IReadOnlyCollection<ClaimedJob> done, IReadOnlyCollection<Wanted> wanted, int total, CancellationToken cancellationToken)
    {
        await using var batch = System();
        if (done.Count > 0)
        {
            Add(batch, JobStatements.Complete, Ids(done), Claims(done));
        }

        if (wanted.Count > 0)
        {
            Add(batch, JobStatements.OneAtATime);
            Add(
                batch,
                JobStatements.Claim,
                Of<string[]>([.. wanted.Select(one => one.Kind.Name)]),
                Of<int[]>([.. wanted.Select(one => one.Slots)]),
                Of<int[]>([.. wanted.Select(one => one.Kind.Policy.PerTenant)]),
                Of<int[]>([.. wanted.Select(one => one.Kind.Policy.LeaseSeconds)]),
                Of<Guid[]>([.. wanted.Select(one => one.After)]),
                Of<bool[]>([.. wanted.Select(one => one.Kind.Policy.OwnPlaces > 0)]),
                Of(total),
                Of(LanesPerClaim));
        }

        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var completed = new HashSet<(Guid, int)>();
        if (done.Count > 0)
        {
            await reader.NextResultAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                completed.Add((reader.GetGuid(0), reader.GetInt32(1)));
            }
        }

        var (claimed, lastLane) = (new List<ClaimedJob>(), new Dictionary<string, Guid>(StringComparer.Ordinal));
        if (wanted.Count > 0)
        {
            await reader.NextResultAsync(cancellationToken);
            await reader.NextResultAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                lastLane[reader.GetString(0)] = reader.GetGuid(1);
                if (!reader.IsDBNull(2))
                {
                    claimed.Add(Read(reader));
                }
            }
        }

        // What is committed is known to be only when all of it has been read.
        await reader.NextResultAsync(cancellationToken);
        return new Turn(completed, claimed, lastLane);
    }

    /// <returns>Those that are still this node's.</returns>
    public async Task<HashSet<(Guid Id, int Claim)>> RenewAsync(IReadOnlyCollection<ClaimedJob> jobs, CancellationToken cancellationToken)
    {
        await using var batch = System();
        Add(batch, JobStatements.Renew, Ids(jobs), Claims(jobs), Of<int[]>([.. jobs.Select(job => job.Kind.Policy.LeaseSeconds)]));
        var renewed = new HashSet<(Guid, int)>();
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            renewed.Add((reader.GetGuid(0), reader.GetInt32(1)));
        }

        return renewed;
    }

    public async Task GiveBackAsync(IReadOnlyCollection<ClaimedJob> jobs, CancellationToken cancellationToken)
    {
        await using var batch = System();
        Add(batch, JobStatements.GiveBack, Ids(jobs), Claims(jobs));
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <returns>False: this node had lost it.</returns>
    public async Task<bool> FailAsync(ClaimedJob job, JobFault fault, bool isDead, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        await using var batch = System();
        Add(
            batch,
            isDead ? JobStatements.Bury : JobStatements.Retry,
            Of(job.Id),
            Of(job.Claim),
            Of(now + JobKinds.Wait(job.Kind.Policy, job.Attempt)),
            Of(now),
            Of(fault.Type),
            Of(fault.Message));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken);
    }

    /// <summary>What any node does for all: makes ready what is due, rescues what a dead node left, buries what nobody knows.</summary>
    /// <returns>Whether more is due than was made ready.</returns>
    public async Task<bool> TidyAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        await using var batch = System();
        Add(batch, JobStatements.Rescue, Of(now));
        Add(batch, JobStatements.BuryUnknown, Of(now), Of<string[]>([.. kinds.All.Select(kind => kind.Name)]), Of(now - UnknownFor));
        Add(batch, JobStatements.Oldest);
        Add(batch, JobStatements.Promote, Of(now), Of(PromotedAtOnce));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var (kind, isDead) = (reader.GetString(0), reader.GetBoolean(1));
            metrics.Rescued(kind);
            tally.Failed(kind);
            if (isDead)
            {
                metrics.Dead(kind);
            }
        }

        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            metrics.Dead(reader.GetString(0));
        }

        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        metrics.OldestIs(reader.IsDBNull(0) ? TimeSpan.Zero : now - reader.GetFieldValue<DateTimeOffset>(0));
        await reader.NextResultAsync(cancellationToken);
        await reader.CloseAsync();
        return batch.BatchCommands[^1].RecordsAffected == PromotedAtOnce;
    }

    /// <summary>Adds what this node did since the last time. What the database does not hear of it is told the next time.</summary>
    public async Task CountAsync(CancellationToken cancellationToken)
    {
        var counts = tally.Counts;
        if (counts.Count == 0)
        {
            return;
        }

        await using var batch = System();
        Add(
            batch,
            JobStatements.Count,
            Of<DateTimeOffset[]>([.. counts.Select(count => count.Minute)]),
            Of<string[]>([.. counts.Select(count => count.Kind)]),
            Of<long[]>([.. counts.Select(count => count.Done)]),
            Of<long[]>([.. counts.Select(count => count.Failed)]));
        await batch.ExecuteNonQueryAsync(cancellationToken);
        tally.Clear();
    }

    private ClaimedJob Read(NpgsqlDataReader reader) => new(
        reader.GetGuid(2),
        reader.GetInt32(3),
        kinds.Named(reader.GetString(0)),
        reader.IsDBNull(4) ? null : reader.GetGuid(4),
        reader.IsDBNull(5) ? null : reader.GetGuid(5),
        reader.GetString(6),
        reader.GetInt32(7),
        reader.GetInt32(8),
        reader.IsDBNull(9) ? null : reader.GetString(9),
        reader.IsDBNull(10) ? null : reader.GetInt32(10));

    private NpgsqlBatch System()
    {
        var batch = database.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(JobStatements.AsSystem));
        return batch;
    }

    private static void Add(NpgsqlBatch batch, string sql, params NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.AddRange(parameters);
        batch.BatchCommands.Add(command);
    }

    private static NpgsqlParameter<Guid[]> Ids(IEnumerable<ClaimedJob> jobs) => Of<Guid[]>([.. jobs.Select(job => job.Id)]);

    private static NpgsqlParameter<int[]> Claims(IEnumerable<ClaimedJob> jobs) => Of<int[]>([.. jobs.Select(job => job.Claim)]);

    private static NpgsqlParameter<T> Of<T>(T value) => new() { TypedValue = value };
}
