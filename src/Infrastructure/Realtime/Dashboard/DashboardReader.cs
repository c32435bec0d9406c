using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using NpgsqlTypes;
using Vtp.Application.Audit;
using Vtp.Application.Operations.Performance;
using Vtp.Application.Realtime.Dashboard;
using Vtp.Domain.Audit;
using Vtp.Infrastructure.Audit;
using Vtp.Infrastructure.Persistence;
using Vtp.Infrastructure.Redis;

namespace Vtp.Infrastructure.Realtime.Dashboard;

internal sealed class DashboardReader(
    [FromKeyedServices(Connections.Reads)] NpgsqlDataSource database,
    HybridCache cache,
    IPerformance performance,
    TimeProvider clock,
    RedisConnection? redis = null) : IDashboardReader
{
    private const double HighErrorRate = 0.05;
    private const double Mebibyte = 1 << 20;
    private static readonly TimeSpan Recently = TimeSpan.FromHours(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    // Less than the five seconds after which they are counted again.
    private static readonly HybridCacheEntryOptions Kept = new() { Expiration = TimeSpan.FromSeconds(4) };

    private const string Active = "SELECT count(*)::integer FROM account_activity WHERE seen_at > $1";

    private const string ActiveOfOrganization =
        "SELECT count(DISTINCT account_id)::integer FROM account_activity JOIN members USING (account_id) WHERE seen_at > $1 AND organization_id = $2";

    private const string Columns = "entry.id, organization_id, action, outcome, actor_type, actor_id, target_id, occurred_at";
    private const string IsTold = "occurred_at > $1 AND actor_type <> 'system' ORDER BY occurred_at DESC, id DESC LIMIT $2";

    private const string RecentOfOrganization =
        $"SELECT found.*, full_name FROM (SELECT {Columns} FROM audit_entries entry WHERE organization_id = $3 AND {IsTold}) found LEFT JOIN accounts ON accounts.id = actor_id";

    // Of chains that have grown lately: there may be many organizations, and an index leads to the newest entries of each.
    private const string RecentOfAll =
        $"""
        SELECT found.*, full_name FROM (
            (SELECT {Columns} FROM audit_entries entry WHERE $3::uuid IS NOT NULL AND organization_id IS NULL AND {IsTold})
            UNION ALL
            (SELECT entry.* FROM audit_chains chain CROSS JOIN LATERAL (SELECT {Columns} FROM audit_entries entry WHERE entry.organization_id = chain.organization_id AND {IsTold}) entry
            WHERE last_sequence > checkpoint_sequence OR checkpoint_at > $1)) found
        LEFT JOIN accounts ON accounts.id = actor_id ORDER BY occurred_at DESC, found.id DESC LIMIT $2
        """;

    public ValueTask<DashboardMetrics> MetricsAsync(DashboardScope scope, CancellationToken cancellationToken) =>
        cache.GetOrCreateAsync($"dashboard:metrics:{scope.Id}", (this, scope), static (state, token) => state.Item1.CountAsync(state.scope, token), Kept, cancellationToken: cancellationToken);

    public async Task<IReadOnlyList<DashboardActivity>> RecentActivityAsync(DashboardScope scope, int limit, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        await using var batch = database.CreateSystemCommand(
            scope.IsInstallation ? RecentOfAll : RecentOfOrganization,
            new NpgsqlParameter<DateTimeOffset> { TypedValue = now - Recently },
            new NpgsqlParameter<int> { TypedValue = limit },
            new NpgsqlParameter<Guid> { TypedValue = scope.Id });
        await using var reader = await batch.ReadAsync(cancellationToken);
        var found = new List<DashboardActivity>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var entry = new SealedEntry(
                reader.GetGuid(0),
                Id(1),
                reader.GetString(2),
                AuditWords.Status(reader.GetString(3) == AuditWords.Stored(AuditOutcome.Refused) ? AuditOutcome.Refused : AuditOutcome.Succeeded),
                reader.GetString(4),
                Id(5),
                Id(6),
                reader.GetFieldValue<DateTimeOffset>(7));
            found.Add(ActivityOf(entry, reader.IsDBNull(8) ? null : reader.GetString(8), now));

            Guid? Id(int column) => reader.IsDBNull(column) ? null : reader.GetGuid(column);
        }

        return found;
    }

    /// <summary>What people are called, to those who watch; no address, and nothing of where a request came from.</summary>
    public async Task<IReadOnlyDictionary<Guid, string>> NamesAsync(Guid[] accounts, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT id, full_name FROM accounts WHERE id = ANY ($1)");
        command.Parameters.Add(new NpgsqlParameter { Value = accounts, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var names = new Dictionary<Guid, string>();
        while (await reader.ReadAsync(cancellationToken))
        {
            names[reader.GetGuid(0)] = reader.GetString(1);
        }

        return names;
    }

    public static DashboardActivity ActivityOf(SealedEntry entry, string? name, DateTimeOffset now) => new(
        entry.Id,
        string.Equals(entry.ActorType, AuditWords.Stored(ActorType.User), StringComparison.Ordinal) ? entry.ActorId : null,
        name,
        entry.Action,
        DashboardMessages.Element(new
        {
            resource = AuditActions.ResourceOf(entry.Action),
            resourceId = entry.TargetId,
            outcome = entry.Status,
            organizationId = entry.OrganizationId,
        }),
        entry.OccurredAt,
        TriggeredBy: null,
        now);

    public async Task<(bool Database, bool? Redis)> ProbeAsync(CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            await using var command = database.CreateCommand("SELECT 1");
            await command.ExecuteScalarAsync(patience.Token);
            return (true, redis?.IsUp);
        }
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return (false, redis?.IsUp);
        }
    }

    private async ValueTask<DashboardMetrics> CountAsync(DashboardScope scope, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        await using var batch = database.CreateSystemCommand(
            scope.IsInstallation ? Active : ActiveOfOrganization,
            [new NpgsqlParameter<DateTimeOffset> { TypedValue = now - SeenAccounts.ActiveFor }, .. scope.IsInstallation ? Array.Empty<NpgsqlParameter>() : [new NpgsqlParameter<Guid> { TypedValue = scope.Id }]]);
        await using var reader = await batch.ReadAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new DashboardMetrics(reader.GetInt32(0), GoalCompletions: null, Health(scope), now);
    }

    private DashboardHealth Health(DashboardScope scope)
    {
        var read = performance.Read();
        var status = read.Errors.Rate > HighErrorRate ? DashboardHealth.Degraded : DashboardHealth.Healthy;
        return scope.IsInstallation
            ? new DashboardHealth(
                status,
                read.ResponseTime.Average,
                read.Uptime,
                read.Errors.Rate,
                new DashboardMemory((long)(read.Memory.Rss / Mebibyte), (long)(read.Memory.Available / Mebibyte)))
            : new DashboardHealth(status, null, null, null, null);
    }
}
