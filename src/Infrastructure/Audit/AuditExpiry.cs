using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;
using Vtp.Application.Tenancy;
using Vtp.Domain.Audit;

namespace Vtp.Infrastructure.Audit;

/// <summary>
/// Makes the partitions that entries of the coming months need, and drops those whose time is over. What is
/// dropped is signed away first, in the same transaction: a gap that nobody signed is a finding.
/// </summary>
internal sealed partial class AuditExpiry(
    NpgsqlDataSource database, IAuditPartitions partitions, AuditSealer sealer, AuditMarks marks, AuditSigningKeys keys, TimeProvider clock, ILogger<AuditExpiry> logger)
{
    // "vtpx" in ASCII: one node at a time.
    private const int ExpiryLock = 0x76747078;
    private const int RangesPerStatement = 1000;
    private const string Rest = "audit_entries_rest";

    private const string RetentionDays = "SELECT array_agg(DISTINCT audit_retention_days) FROM organizations";

    // By the earlier of two clocks: what is dropped does not come back when a wrong one is set right.
    private const string Expired =
        """
        SELECT name, lower_bound, upper_bound FROM (
            SELECT child.oid::regclass::text AS name,
                (regexp_match(bounds, 'FROM \(''([^'']+)''\)'))[1]::timestamptz AS lower_bound,
                coalesce((regexp_match(bounds, 'TO \(''([^'']+)''\)'))[1]::timestamptz, '-infinity') AS upper_bound
            FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid CROSS JOIN pg_get_expr(relpartbound, child.oid) AS bounds
            WHERE inhparent = 'audit_entries'::regclass AND bounds <> 'DEFAULT') AS partitions
        WHERE upper_bound <= least(now(), $1) ORDER BY upper_bound
        """;

    private const string RestExpired =
        """
        SELECT least(now(), $1) WHERE EXISTS (
            SELECT FROM audit_entries WHERE tableoid = 'audit_entries_rest'::regclass AND kept_until < least(now(), $1))
        """;

    // $1 and $2 find the partition without a look at the others.
    private const string Going = "kept_until >= $1 AND kept_until < $2 AND tableoid = $3::text::regclass";

    private const string Chains =
        $"SELECT coalesce(array_agg(DISTINCT coalesce(organization_id, '00000000-0000-0000-0000-000000000000')), '{{}}') FROM audit_entries WHERE {Going}";

    private const string LockChains =
        "SELECT count(*) FROM (SELECT FROM audit_chains WHERE organization_id = ANY ($1) ORDER BY organization_id FOR UPDATE) AS locked";

    private const string Unsealed = $"SELECT {AuditRow.MarkedColumns} FROM audit_entries WHERE {Going} AND sequence IS NULL";

    private const string Ranges =
        $"""
        SELECT chain, lower(range), upper(range) - 1 FROM (
            SELECT coalesce(organization_id, '00000000-0000-0000-0000-000000000000') AS chain, range_agg(int8range(sequence, sequence, '[]')) AS ranges
            FROM audit_entries WHERE {Going} AND sequence IS NOT NULL GROUP BY 1) AS chains, unnest(ranges) AS range
        ORDER BY 1, 2
        """;

    // The hash before the gap as the entry after it, which goes, knows it: what now stands there might have been changed.
    private const string BeforeGap =
        $"""
        SELECT previous_hash FROM audit_entries WHERE {Going} AND OWNER AND sequence = $5
            AND EXISTS (SELECT FROM audit_entries WHERE OWNER AND sequence = $5 - 1 AND NOT ({Going}))
        """;

    private const string SignCheckpoint =
        "INSERT INTO audit_checkpoints (organization_id, sequence, jws, signed_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";

    private const string SignRetention = "INSERT INTO audit_retentions (organization_id, jws, signed_at) VALUES ($1, $2, $3)";

    private const string Uncount =
        $"""
        WITH counted_entries AS (
            SELECT {AuditCounts.Columns} FROM audit_entries WHERE {Going} AND sequence IS NOT NULL)
        {AuditCounts.Subtract}
        """;

    public async Task RunOnceAsync(CancellationToken cancellationToken)
    {
        foreach (var days in await RetentionDaysAsync(cancellationToken))
        {
            await partitions.PrepareAsync(days, cancellationToken);
        }

        var expired = await ExpiredAsync(cancellationToken);
        if (expired.Count == 0)
        {
            return;
        }

        await sealer.SealAllAsync(cancellationToken);
        foreach (var partition in expired)
        {
            await DropAsync(partition, cancellationToken);
        }
    }

    private static NpgsqlParameter<DateTime> Time(DateTime time) => new() { TypedValue = DateTime.SpecifyKind(time, DateTimeKind.Utc) };

    private static NpgsqlParameter<Guid> Uuid(Guid id) => new() { TypedValue = id };

    private static Guid? Organization(Guid chain) => chain == Guid.Empty ? null : chain;

    private async Task<IEnumerable<int>> RetentionDaysAsync(CancellationToken cancellationToken)
    {
        await using var work = await AuditTransaction.BeginAsync(database, cancellationToken);
        return (await work.ReadAsync<int[]>(RetentionDays, cancellationToken) ?? []).Union([Vtp.Domain.Tenancy.Organizations.Organization.DefaultAuditRetentionDays]);
    }

    private async Task<List<Partition>> ExpiredAsync(CancellationToken cancellationToken)
    {
        var (expired, now) = (new List<Partition>(), clock.GetUtcNow().UtcDateTime);
        await using var work = await AuditTransaction.BeginAsync(database, cancellationToken);
        await using (var command = work.Command(Expired, Time(now)))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                expired.Add(new Partition(reader.GetString(0), reader.GetDateTime(1), reader.GetDateTime(2)));
            }
        }

        if (await work.ReadAsync<DateTime>(RestExpired, cancellationToken, Time(now)) is var rest && rest != default)
        {
            expired.Add(new Partition(Rest, DateTime.MinValue, rest));
        }

        return expired;
    }

    private async Task DropAsync(Partition partition, CancellationToken cancellationToken)
    {
        await using var work = await AuditTransaction.BeginAsync(database, cancellationToken);
        if (!await work.ReadAsync<bool>("SELECT pg_try_advisory_xact_lock($1)", cancellationToken, new NpgsqlParameter<int> { TypedValue = ExpiryLock })
            || !await work.ReadAsync<bool>("SELECT to_regclass($1) IS NOT NULL", cancellationToken, new NpgsqlParameter<string> { TypedValue = partition.Name }))
        {
            return; // Another node does it, or did.
        }

        // Who must be waited for, a long export perhaps, holds up everybody behind us: better another time.
        await work.RunAsync("SET LOCAL lock_timeout = '5s'", cancellationToken);
        var chains = await work.ReadAsync<Guid[]>(Chains, cancellationToken, GoingOf(partition)) ?? [];
        await work.ReadAsync<long>(LockChains, cancellationToken, new NpgsqlParameter<Guid[]> { TypedValue = chains });
        if (await HasUnsealedAsync(work, partition, cancellationToken))
        {
            LogUnsealed(partition.Name);
            return;
        }

        await SignAsync(work, partition, cancellationToken);
        await work.RunAsync(Uncount, cancellationToken, GoingOf(partition));
        await work.RunAsync(
            "DELETE FROM audit_counts WHERE organization_id = ANY ($1) AND succeeded <= 0 AND refused <= 0", cancellationToken, new NpgsqlParameter<Guid[]> { TypedValue = chains });
        if (partition.Name == Rest)
        {
            await work.RunAsync($"DELETE FROM audit_entries WHERE {Going}", cancellationToken, GoingOf(partition));
        }
        else
        {
            await work.RunAsync($"ALTER TABLE audit_entries DETACH PARTITION {partition.Name}; DROP TABLE {partition.Name}", cancellationToken);
        }

        await work.CommitAsync(cancellationToken);
        LogDropped(partition.Name);
    }

    /// <summary>What VTP did not write is never sealed, and nothing waits for it.</summary>
    private async Task<bool> HasUnsealedAsync(AuditTransaction work, Partition partition, CancellationToken cancellationToken)
    {
        await using var command = work.Command(Unsealed, GoingOf(partition));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (marks.IsRight(new AuditRow(reader)))
            {
                return true;
            }
        }

        return false;
    }

    private static NpgsqlParameter[] GoingOf(Partition partition) =>
    [
        new() { NpgsqlDbType = NpgsqlDbType.TimestampTz, Value = DateTime.SpecifyKind(partition.From, DateTimeKind.Utc) },
        Time(partition.To),
        new NpgsqlParameter<string> { TypedValue = partition.Name },
    ];

    private async Task SignAsync(AuditTransaction work, Partition partition, CancellationToken cancellationToken)
    {
        var ranges = new List<(Guid Chain, AuditRange Range)>();
        await using (var command = work.Command(Ranges, GoingOf(partition)))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                ranges.Add((reader.GetGuid(0), new AuditRange(reader.GetInt64(1), reader.GetInt64(2))));
            }
        }

        foreach (var (chain, range) in ranges)
        {
            await SignBeforeAsync(work, partition, chain, range.First, cancellationToken);
        }

        var now = clock.GetUtcNow();
        foreach (var chain in ranges.GroupBy(one => one.Chain, one => one.Range))
        {
            foreach (var some in chain.Chunk(RangesPerStatement))
            {
                var jws = keys.Sign(AuditSignature.RetentionType, new AuditRetention(Organization(chain.Key), some, now).ToPayload());
                await work.RunAsync(SignRetention, cancellationToken, Uuid(chain.Key), new NpgsqlParameter<string> { TypedValue = jws }, Time(now.UtcDateTime));
            }
        }
    }

    /// <summary>A checkpoint reaches back to the nearest gap only, so that what stays before one needs its own.</summary>
    private async Task SignBeforeAsync(AuditTransaction work, Partition partition, Guid chain, long first, CancellationToken cancellationToken)
    {
        var owner = chain == Guid.Empty ? "organization_id IS NULL AND $4::uuid IS NOT NULL" : "organization_id = $4";
        var hash = await work.ReadAsync<byte[]>(
            BeforeGap.Replace("OWNER", owner, StringComparison.Ordinal),
            cancellationToken,
            [.. GoingOf(partition), Uuid(chain), new NpgsqlParameter<long> { TypedValue = first }]);
        if (hash is null)
        {
            return;
        }

        var now = clock.GetUtcNow();
        var jws = keys.Sign(AuditSignature.CheckpointType, new AuditCheckpoint(Organization(chain), first - 1, Convert.ToHexStringLower(hash), now).ToPayload());
        await work.RunAsync(
            SignCheckpoint,
            cancellationToken,
            Uuid(chain),
            new NpgsqlParameter<long> { TypedValue = first - 1 },
            new NpgsqlParameter<string> { TypedValue = jws },
            Time(now.UtcDateTime));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Partition} has expired: its entries were dropped")]
    private partial void LogDropped(string partition);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Partition} has expired but holds entries that are not sealed yet; it stays for now")]
    private partial void LogUnsealed(string partition);

    private sealed record Partition(string Name, DateTime From, DateTime To);
}
