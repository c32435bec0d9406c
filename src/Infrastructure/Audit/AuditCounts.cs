namespace Vtp.Infrastructure.Audit;

/// <summary>Entries as <c>audit_counts</c> counts them: added when they are sealed, taken away before they are dropped.</summary>
internal static class AuditCounts
{
    /// <summary>What <c>counted_entries</c> has of each entry.</summary>
    public const string Columns = "organization_id, project_id, action, actor_type, actor_name, outcome, occurred_at";

    /// <summary>Follows a WITH that names the entries <c>counted_entries</c>.</summary>
    private const string Groups =
        """
        SELECT coalesce(organization_id, '00000000-0000-0000-0000-000000000000') AS organization_id, project AS project_id, span, day, kind, name,
            count(*) FILTER (WHERE outcome = 'succeeded') AS succeeded, count(*) FILTER (WHERE outcome <> 'succeeded') AS refused
        FROM counted_entries
        CROSS JOIN LATERAL (VALUES ('action', action), (actor_type, actor_name)) AS kinds (kind, name)
        CROSS JOIN LATERAL (VALUES ('day', (occurred_at AT TIME ZONE 'UTC')::date), ('month', date_trunc('month', occurred_at AT TIME ZONE 'UTC')::date)) AS spans (span, day)
        CROSS JOIN LATERAL (SELECT '00000000-0000-0000-0000-000000000000'::uuid UNION ALL SELECT project_id WHERE project_id IS NOT NULL) AS projects (project)
        WHERE name IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6
        """;

    public const string Add =
        $"""
        INSERT INTO audit_counts (organization_id, project_id, span, day, kind, name, succeeded, refused)
        {Groups}
        ON CONFLICT (organization_id, project_id, span, day, kind, name)
            DO UPDATE SET succeeded = audit_counts.succeeded + excluded.succeeded, refused = audit_counts.refused + excluded.refused
        """;

    public const string Subtract =
        $"""
        UPDATE audit_counts counts SET succeeded = counts.succeeded - gone.succeeded, refused = counts.refused - gone.refused
        FROM ({Groups}) gone
        WHERE (counts.organization_id, counts.project_id, counts.span, counts.day, counts.kind, counts.name)
            = (gone.organization_id, gone.project_id, gone.span, gone.day, gone.kind, gone.name)
        """;
}
