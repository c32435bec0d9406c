using Npgsql;
using Vtp.Infrastructure.Audit;

namespace Vtp.Benchmarks;

/// <summary>A million entries over a year, four of five in one organization, by people, keys and actions that are not equally busy.</summary>
internal static class AuditTrail
{
    public const int Entries = 1_000_000;

    private const string Partitions = "SELECT audit_prepare_partitions(days) FROM generate_series(0, 360, 60) AS days";

    private const string Indexes =
        """
        SELECT coalesce(string_agg(replace(indexdef, ' ON ONLY ', ' ON '), ';'), ''), coalesce(string_agg(format('DROP INDEX %I', indexname), ';'), '')
        FROM pg_indexes WHERE tablename = 'audit_entries' AND indexname <> 'audit_entries_pkey' AND indexdef NOT LIKE '%UNIQUE%'
        """;

    // In the order of time, as entries come. One in twenty is refused; a bot did three of ten; one project, a third of what has one.
    private const string Fill =
        """
        INSERT INTO audit_entries (id, organization_id, project_id, action, outcome, reason, actor_type, actor_id, actor_name, target_id, target_name,
            ip_address, user_agent, trace_id, changes, occurred_at, kept_until, sequence, previous_hash, hash)
        SELECT gen_random_uuid(), organizations[CASE WHEN o < 0.8 THEN 1 WHEN o < 0.9 THEN 2 WHEN o < 0.97 THEN 3 ELSE 4 END],
            CASE WHEN p < 0.6 THEN projects[1 + floor(p * p / 0.36 * 8)::int] END,
            CASE WHEN a < 0.3 THEN 'project.updated' ELSE actions[1 + floor((a - 0.3) / 0.7 * cardinality(actions))::int] END,
            CASE WHEN r < 0.05 THEN 'refused' ELSE 'succeeded' END, CASE WHEN r < 0.05 THEN 'auth.forbidden' END,
            CASE WHEN w < 0.4 THEN 'key' ELSE 'user' END, gen_random_uuid(),
            CASE WHEN w < 0.3 THEN 'Nightly bot' WHEN w < 0.4 THEN 'Key ' || floor(w * 500) ELSE 'person' || floor((w - 0.4) / 0.6 * 300) || '@school.example' END,
            ('20000000-0000-7000-8000-' || lpad(floor(t * t * 3000)::text, 12, '0'))::uuid, 'Evening classes', '192.0.2.1', 'Mozilla/5.0 (X11; Linux x86_64)',
            '0af7651916cd43dd8448eb211c80319c', '[{"resource":"project","resource_id":"p","before":{"name":"Flim"},"after":{"name":"Film"}}]',
            at, at + interval '365 days', number, decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex')
        FROM (SELECT number, random() o, random() p, random() a, random() r, random() w, random() t,
                now() - ($1 - number) * interval '365 days' / $1 AS at FROM generate_series(1, $1) AS number) AS drawn
        CROSS JOIN (SELECT $2::uuid[] AS organizations, $3::uuid[] AS projects, ARRAY['project.created', 'project.deleted', 'api_key.created', 'api_key.revoked',
            'organization.updated', 'team_member.invited', 'team_member.added', 'audit.exported', 'api_key.rotated', 'invitation.resent'] AS actions) AS given
        """;

    private const string Count =
        $"""
        WITH counted_entries AS (SELECT {AuditCounts.Columns} FROM audit_entries)
        {AuditCounts.Add}
        """;

    public static async Task FillAsync(string connectionString, Guid[] organizations, Guid[] projects, CancellationToken ct)
    {
        var asServer = new NpgsqlConnectionStringBuilder(connectionString) { Options = "-c vtp.tenants=* -c synchronous_commit=off -c maintenance_work_mem=256MB", CommandTimeout = 600 };
        await using var database = NpgsqlDataSource.Create(asServer.ConnectionString);
        await RunAsync(Partitions);
        string create, drop;
        await using (var command = database.CreateCommand(Indexes))
        await using (var reader = await command.ExecuteReaderAsync(ct))
        {
            await reader.ReadAsync(ct);
            (create, drop) = (reader.GetString(0), reader.GetString(1));
        }

        // Indexes are built faster than they grow.
        await RunAsync($"{drop}; ALTER TABLE audit_entries DISABLE TRIGGER USER");
        await RunAsync(Fill, Entries, organizations, projects);
        await RunAsync($"{create}; ALTER TABLE audit_entries ENABLE TRIGGER USER");
        await RunAsync(Count);
        await RunAsync("VACUUM ANALYZE audit_entries");
        await RunAsync("VACUUM ANALYZE audit_counts");

        async Task RunAsync(string sql, params object[] parameters)
        {
            await using var command = database.CreateCommand(sql);
            foreach (var parameter in parameters)
            {
                command.Parameters.Add(new NpgsqlParameter { Value = parameter });
            }

            await command.ExecuteNonQueryAsync(ct);
        }
    }
}
