using Npgsql;
using NpgsqlTypes;
using Vtp.Application.Audit;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Infrastructure.Audit;

/// <summary>
/// How a page of the trail is read: for every combination of the values that an index begins with, its newest entries,
/// and of all these the newest. Each part reads no more than a page, so that it costs the same where a million entries
/// are one filter away from matching. The planner, left alone, would take the order of time and read until it has a page.
/// </summary>
internal sealed class AuditPath
{
    // More names than this are no longer few; and a combination costs about as much as reading some tens of entries.
    public const int MaximumNames = 1000;
    private const int MaximumCombinations = 4000;

    private const int ManyCombinations = 100;
    private const int Glance = 2000;

    private static readonly string[] Outcomes = [.. Enum.GetValues<AuditOutcome>().Select(AuditWords.Stored)];
    private static readonly string[] Types = [.. Enum.GetValues<ActorType>().Select(AuditWords.Stored)];
    private static readonly string[] Actions = [.. AuditActions.All.Select(action => action.Name)];

    private readonly List<(string Column, Array Values)> _prefix = [];
    private readonly List<string> _conditions = [];
    private readonly List<NpgsqlParameter> _parameters = [];

    /// <param name="scope">Whose entries; not empty.</param>
    /// <param name="filter">What is asked for.</param>
    /// <param name="names">The actors' names that fit, null when they were not asked for, or are more than <see cref="MaximumNames"/>.</param>
    /// <param name="before">The last entry of the page before.</param>
    /// <param name="limit">Entries on a page.</param>
    public AuditPath(TenantScope scope, AuditFilter filter, string[]? names, (DateTimeOffset Timestamp, Guid Id)? before, int limit)
    {
        Choose(scope, filter, names);
        Within(filter, before);
        if (filter.Actor is { } part && names is null)
        {
            // So many names that most pages are full soon.
            Condition("vtp_fold(entry.actor_name) LIKE vtp_fold({0})", NpgsqlDbType.Text, Queries.Anywhere(part));
        }

        IsMany = _prefix.Aggregate(1L, (product, part) => product * part.Values.Length) > ManyCombinations;
        var page = Parameter(NpgsqlDbType.Integer, limit);
        var arrays = _prefix.Select(part => Parameter((part.Values switch { Guid[] => NpgsqlDbType.Uuid, _ => NpgsqlDbType.Text }) | NpgsqlDbType.Array, part.Values));
        var combinations = string.Join(
            " CROSS JOIN ", _prefix.Zip(arrays, (part, array) => $"unnest({array}) AS wanted_{part.Column} ({part.Column})").DefaultIfEmpty("(SELECT) AS everything"));
        var conditions = _prefix.Select(part => $"entry.{part.Column} = wanted_{part.Column}.{part.Column}").Concat(_conditions);
        Sql = $"""
            SELECT newest.* FROM {combinations} CROSS JOIN LATERAL (
                SELECT {AuditRow.Columns} FROM audit_entries entry WHERE {string.Join(" AND ", conditions)}
                ORDER BY {(scope.IsSystem ? "organization_id, " : "")}occurred_at DESC, id DESC LIMIT {page}) newest
            ORDER BY occurred_at DESC, id DESC LIMIT {page}
            """;
    }

    private AuditPath(OrganizationId organization, TenantScope scope, AuditFilter filter, string[] names, (DateTimeOffset Timestamp, Guid Id)? before, int limit)
    {
        Condition("entry.organization_id = {0}", NpgsqlDbType.Uuid, organization.Value);
        Within(filter, before);
        var newest = string.Join(" AND ", _conditions);
        _conditions.Clear();
        Rest(scope, names, filter.ActorType, filter.Actions, filter.Outcome);
        Condition("entry.target_id = {0}", NpgsqlDbType.Uuid, filter.Target);
        Sql = $"""
            SELECT {AuditRow.Columns} FROM (
                SELECT {AuditRow.Columns} FROM audit_entries entry WHERE {newest} ORDER BY occurred_at DESC, id DESC LIMIT {Glance}) entry
            WHERE {string.Join(" AND ", _conditions)}
            ORDER BY occurred_at DESC, id DESC LIMIT {Parameter(NpgsqlDbType.Integer, limit)}
            """;
    }

    public string Sql { get; }

    /// <summary>So many combinations that it pays to look first at the newest entries, which fill the page where much matches.</summary>
    public bool IsMany { get; }

    /// <summary>The page out of the newest entries alone: right when it comes back full. Null where that would not be right.</summary>
    public static AuditPath? AtAGlance(TenantScope scope, AuditFilter filter, string[] names, (DateTimeOffset Timestamp, Guid Id)? before, int limit) =>
        scope.Organization is { } only ? new(only, scope, filter, names, before, limit) : null;

    public NpgsqlParameter[] Parameters => [.. _parameters];

    private void Choose(TenantScope scope, AuditFilter filter, string[]? names)
    {
        string[] actions = filter.Actions is { } some ? [.. some] : Actions;
        string[] outcomes = filter.Outcome is { } outcome ? [AuditWords.Stored(outcome)] : Outcomes;
        string[] types = filter.ActorType is { } type ? [AuditWords.Stored(type)] : Types;

        if (filter.Target is { } target)
        {
            Owner(scope).Prefix("target_id", new[] { target }).Prefix("action", actions).Prefix("outcome", outcomes);
            Rest(scope, names, actorType: filter.ActorType);
        }
        else if (names is { Length: > 0 and var count })
        {
            Owner(scope).Prefix("actor_name", names);
            var isNarrowed = filter.Actions is not null || filter.Outcome is not null;
            if (isNarrowed && Math.Max(scope.Organizations.Length, 1) * count * actions.Length * outcomes.Length <= MaximumCombinations)
            {
                Prefix("action", actions).Prefix("outcome", outcomes);
                Rest(scope, names: null, filter.ActorType);
            }
            else
            {
                Rest(scope, names: null, filter.ActorType, filter.Actions, filter.Outcome);
            }
        }
        else if (scope.Project is { } project)
        {
            Prefix("project_id", new[] { project.Value }).Prefix("action", actions).Prefix("actor_type", types).Prefix("outcome", outcomes);
        }
        else if (filter.Actions is not null)
        {
            Owner(scope).Prefix("action", actions).Prefix("actor_type", types).Prefix("outcome", outcomes);
        }
        else if (filter.ActorType is not null || filter.Outcome is not null)
        {
            Owner(scope).Prefix("actor_type", types).Prefix("outcome", outcomes);
        }
        else
        {
            Owner(scope);
        }
    }

    private void Within(AuditFilter filter, (DateTimeOffset Timestamp, Guid Id)? before)
    {
        Condition("entry.occurred_at >= {0}", NpgsqlDbType.TimestampTz, filter.From?.UtcDateTime);
        Condition("entry.occurred_at < {0}", NpgsqlDbType.TimestampTz, filter.Before?.UtcDateTime);
        if (before is { } last)
        {
            _conditions.Add($"(entry.occurred_at, entry.id) < ({Parameter(NpgsqlDbType.TimestampTz, last.Timestamp.UtcDateTime)}, {Parameter(NpgsqlDbType.Uuid, last.Id)})");
        }
    }

    private AuditPath Owner(TenantScope scope)
    {
        if (!scope.IsSystem)
        {
            return Prefix("organization_id", Array.ConvertAll(scope.Organizations, organization => organization.Value));
        }

        // No value equals none; an index finds it, and is in the order of time when the query says that it begins with it.
        _conditions.Add("entry.organization_id IS NULL");
        return this;
    }

    private AuditPath Prefix(string column, Array values)
    {
        _prefix.Add((column, values));
        return this;
    }

    private void Rest(TenantScope scope, string[]? names, ActorType? actorType, IReadOnlyList<string>? actions = null, AuditOutcome? outcome = null)
    {
        Condition("entry.project_id = {0}", NpgsqlDbType.Uuid, scope.Project?.Value);
        Condition("entry.actor_name = ANY({0})", NpgsqlDbType.Text | NpgsqlDbType.Array, names);
        Condition("entry.actor_type = {0}", NpgsqlDbType.Text, actorType is { } type ? AuditWords.Stored(type) : null);
        Condition("entry.action = ANY({0})", NpgsqlDbType.Text | NpgsqlDbType.Array, actions?.ToArray());
        Condition("entry.outcome = {0}", NpgsqlDbType.Text, outcome is { } word ? AuditWords.Stored(word) : null);
    }

    private void Condition(string condition, NpgsqlDbType type, object? value)
    {
        if (value is not null)
        {
            _conditions.Add(string.Format(System.Globalization.CultureInfo.InvariantCulture, condition, Parameter(type, value)));
        }
    }

    private string Parameter(NpgsqlDbType type, object value)
    {
        _parameters.Add(new NpgsqlParameter { NpgsqlDbType = type, Value = value });
        return $"${_parameters.Count}";
    }
}
