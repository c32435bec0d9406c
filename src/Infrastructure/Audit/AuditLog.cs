using Npgsql;
using Vtp.Application.Audit;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Audit;

/// <summary>
/// Reads the trail in the scope of the request, in statements whose plans do not depend on how much there is. The server's
/// own scope is that of the installation's trail.
/// </summary>
internal sealed class AuditLog(NpgsqlDataSource database, TenantScope scope) : IAuditLog
{
    // Steps from one name to the next by the index: as many reads as there are names, however often each is counted. And
    // which of the actions occur at all, so that nobody looks for the others name by name.
    private const string Names =
        """
        WITH RECURSIVE names AS (
            SELECT organization, kind, (
                SELECT name FROM audit_counts counted
                WHERE organization_id = organization AND project_id = $4 AND counted.kind = wanted.kind AND span = 'month' ORDER BY name LIMIT 1) AS name
            FROM unnest($1) AS organization CROSS JOIN unnest($5) AS wanted (kind)
            UNION ALL
            SELECT organization, kind, (
                SELECT counted.name FROM audit_counts counted
                WHERE organization_id = organization AND project_id = $4 AND counted.kind = names.kind AND span = 'month' AND counted.name > names.name
                ORDER BY counted.name LIMIT 1)
            FROM names WHERE name IS NOT NULL)
        (SELECT 'actor', name FROM names WHERE vtp_fold(name) LIKE vtp_fold($2)
        UNION
        SELECT 'actor', actor_name FROM audit_entries
        WHERE OWNER AND sequence IS NULL AND actor_type = ANY ($5) AND vtp_fold(actor_name) LIKE vtp_fold($2)
        LIMIT $3)
        UNION ALL
        SELECT 'action', wanted.action FROM unnest($6) AS wanted (action)
        WHERE EXISTS (
                SELECT FROM unnest($1) AS organization CROSS JOIN LATERAL (
                    SELECT FROM audit_counts WHERE organization_id = organization AND project_id = $4 AND kind = 'action' AND name = wanted.action AND span = 'month' LIMIT 1) AS known)
            OR EXISTS (SELECT FROM audit_entries entry WHERE OWNER AND sequence IS NULL AND entry.action = wanted.action)
        """;

    // What is sealed is counted already; what is not is little, and has an index of its own. $4: the first whole month.
    private const string Totals =
        """
        WITH counted AS (
            SELECT CASE kind WHEN 'action' THEN kind ELSE 'actor' END AS kind, name, succeeded, refused FROM audit_counts
            WHERE organization_id = $1 AND project_id = $3 AND span = 'month' AND day >= $4
            UNION ALL
            SELECT CASE kind WHEN 'action' THEN kind ELSE 'actor' END, name, succeeded, refused FROM audit_counts
            WHERE organization_id = $1 AND project_id = $3 AND span = 'day' AND day >= $2 AND day < $4
            UNION ALL
            SELECT kind, CASE kind WHEN 'action' THEN action ELSE actor_name END, (outcome = 'succeeded')::int, (outcome <> 'succeeded')::int
            FROM audit_entries CROSS JOIN (VALUES ('action'), ('actor')) AS kinds (kind)
            WHERE organization_id = $1 AND sequence IS NULL AND occurred_at >= $2::timestamp AT TIME ZONE 'UTC' AND (kind = 'action' OR actor_name IS NOT NULL)),
        summed AS (
            SELECT kind, name, sum(succeeded + refused) AS count, sum(refused) AS refused,
                row_number() OVER (PARTITION BY kind ORDER BY sum(succeeded + refused) DESC, name) AS place
            FROM counted GROUP BY kind, name)
        SELECT 'total', '', coalesce(sum(count), 0)::bigint, coalesce(sum(refused), 0)::bigint FROM summed WHERE kind = 'action'
        UNION ALL
        (SELECT kind, name, count::bigint, refused::bigint FROM summed WHERE place <= 10 ORDER BY kind, place)
        """;

    public async Task<IReadOnlyList<AuditEntryView>> FindAsync(
        AuditFilter filter, (DateTimeOffset Timestamp, Guid Id)? before, int limit, CancellationToken cancellationToken)
    {
        if (scope.IsEmpty || filter.Actions is { Count: 0 })
        {
            return [];
        }

        string[]? names = null;
        if (filter.Actor is { } part)
        {
            (names, var actions) = await NamesAsync(part, filter, cancellationToken);
            if (names.Length == 0 || actions is { Length: 0 })
            {
                return [];
            }

            filter = filter with { Actions = actions };
        }

        var path = new AuditPath(scope, filter, names?.Length > AuditPath.MaximumNames ? null : names, before, limit);
        if (path.IsMany && names is { Length: <= AuditPath.MaximumNames } && AuditPath.AtAGlance(scope, filter, names, before, limit) is { } glance
            && await ReadAsync(glance, cancellationToken) is { } page && page.Count == limit)
        {
            return page;
        }

        return await ReadAsync(path, cancellationToken);
    }

    public async Task<AuditTotals> CountAsync(DateOnly from, CancellationToken cancellationToken)
    {
        var organization = scope.Organization ?? throw new InvalidOperationException("Statistics are about one organization.");
        await using var batch = database.CreateScopedCommand(
            scope,
            Totals,
            inIndexOrder: false,
            new NpgsqlParameter<Guid> { TypedValue = organization.Value },
            new NpgsqlParameter<DateOnly> { TypedValue = from },
            Project(),
            new NpgsqlParameter<DateOnly> { TypedValue = from.Day == 1 ? from : new DateOnly(from.Year, from.Month, 1).AddMonths(1) });
        await using var reader = await batch.ReadAsync(cancellationToken);
        var (actions, refused, lists) = (0L, 0L, new Dictionary<string, List<AuditCount>>(StringComparer.Ordinal) { ["action"] = [], ["actor"] = [] });
        while (await reader.ReadAsync(cancellationToken))
        {
            if (reader.GetString(0) == "total")
            {
                (actions, refused) = (reader.GetInt64(2), reader.GetInt64(3));
            }
            else
            {
                lists[reader.GetString(0)].Add(new AuditCount(reader.GetString(1), reader.GetInt64(2)));
            }
        }

        return new AuditTotals(actions, refused, lists["action"], lists["actor"]);
    }

    private async Task<List<AuditEntryView>> ReadAsync(AuditPath path, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateScopedCommand(scope, path.Sql, inIndexOrder: true, path.Parameters);
        await using var reader = await batch.ReadAsync(cancellationToken);
        var entries = new List<AuditEntryView>();
        while (await reader.ReadAsync(cancellationToken))
        {
            entries.Add(new AuditRow(reader).ToView());
        }

        return entries;
    }

    /// <summary>Names of actors that fit, and those of the wanted actions that occur; null when all are wanted.</summary>
    private async Task<(string[] Names, string[]? Actions)> NamesAsync(string part, AuditFilter filter, CancellationToken cancellationToken)
    {
        var types = filter.ActorType is { } type ? [type] : Enum.GetValues<ActorType>();
        await using var batch = database.CreateScopedCommand(
            scope,
            Names.Replace("OWNER", scope.IsSystem ? "organization_id IS NULL" : "organization_id = ANY ($1)", StringComparison.Ordinal),
            inIndexOrder: true,
            new NpgsqlParameter<Guid[]> { TypedValue = scope.IsSystem ? [Guid.Empty] : Array.ConvertAll(scope.Organizations, organization => organization.Value) },
            new NpgsqlParameter<string> { TypedValue = Queries.Anywhere(part) },
            new NpgsqlParameter<int> { TypedValue = AuditPath.MaximumNames + 1 },
            Project(),
            new NpgsqlParameter<string[]> { TypedValue = Array.ConvertAll(types, AuditWords.Stored) },
            new NpgsqlParameter<string[]> { TypedValue = filter.Actions?.ToArray() ?? [] });
        await using var reader = await batch.ReadAsync(cancellationToken);
        var (names, actions) = (new List<string>(), new List<string>());
        while (await reader.ReadAsync(cancellationToken))
        {
            (reader.GetString(0) == "actor" ? names : actions).Add(reader.GetString(1));
        }

        return ([.. names], filter.Actions is null ? null : [.. actions]);
    }

    /// <summary>Whose counts: the nil UUID stands for the whole organization.</summary>
    private NpgsqlParameter<Guid> Project() => new() { TypedValue = scope.Project?.Value ?? Guid.Empty };
}
