using System.Net;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Vtp.Application.Common;
using Vtp.Domain.Tenancy;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Infrastructure.Persistence;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tenancy;

/// <summary>What belongs to one organization does not exist for another one.</summary>
public sealed class IsolationTests(VtpApi api) : IClassFixture<VtpApi>
{
    private static readonly string[] Tables =
    [
        "organizations", "members", "invitations", "projects", "api_keys", "audit_entries",
        "webhook_endpoints", "webhook_secrets", "webhook_health", "webhook_deliveries", "webhook_attempts", "archive_exports", "dashboard_alerts",
    ];

    // Read and written by hand, beneath EF Core.
    private static readonly string[] TablesWithoutModel =
    [
        "archive_export_chunks", "audit_chains", "audit_checkpoints", "audit_counts", "audit_retentions", "events", "tracker_peers", "tracker_files", "tracker_members",
        "signaling_rooms", "signaling_places", "signaling_removals", "room_recordings",
    ];

    [Fact]
    public async Task Every_route_answers_404_to_every_id_of_another_organization_and_changes_nothing()
    {
        var (ours, theirs) = (await api.FoundSchoolAsync(), await api.FoundSchoolAsync());
        var (mine, other) = (await Tenant.OfAsync(ours), await Tenant.OfAsync(theirs));
        var second = await ours.CreateProjectAsync("Another project of ours");
        await api.MailSettledAsync();
        var before = await SnapshotAsync(other.Organization);

        foreach (var route in TenantRoute.Of(api).Where(route => !route.IsList))
        {
            // All ids theirs; then ours with one of theirs inside; each as a person and as a program.
            foreach (var path in new[] { route.PathTo(other), route.PathTo(other with { Organization = mine.Organization, Project = mine.Project }) }.Distinct(StringComparer.Ordinal))
            {
                if (path == route.PathTo(mine))
                {
                    continue;
                }

                foreach (var (token, key) in new (string?, string?)[] { (ours.Owner.AccessToken, null), (null, mine.Secret) })
                {
                    var answer = await route.SendAsync(api, path, token, key);
                    var expected = key is not null && route.UseCase.OpenToKeys is null && !path.Contains(other.Organization.ToString()) && !path.Contains(other.Project.ToString())
                        ? HttpStatusCode.Forbidden // A key may do this nowhere, and is told so before anybody looks.
                        : HttpStatusCode.NotFound;
                    answer.Status.Should().Be(expected, $"{route} with {path}: {answer.Text}");
                }
            }

            if (route.IsAboutProject)
            {
                (await route.SendAsync(api, route.PathTo(mine with { Project = second.Id }), token: null, mine.Secret))
                    .Status.Should().Be(HttpStatusCode.NotFound, $"{route}: a key knows its own project only");
            }
        }

        (await SnapshotAsync(other.Organization)).Should().Be(before);
    }

    [Fact]
    public async Task Lists_show_nothing_of_anybody_else()
    {
        var (ours, theirs) = (await api.FoundSchoolAsync(), await api.FoundSchoolAsync());
        var (mine, other) = (await Tenant.OfAsync(ours), await Tenant.OfAsync(theirs));
        foreach (var route in TenantRoute.Of(api).Where(route => route.Method == "GET"))
        {
            foreach (var (token, key) in new (string?, string?)[] { (ours.Owner.AccessToken, null), (null, mine.Secret) })
            {
                var text = (await route.SendAsync(api, route.IsList ? route.Pattern : route.PathTo(mine), token, key)).Text;
                foreach (var id in new[] { other.Organization, other.Project, other.Member, other.Invitation, other.Key })
                {
                    text.Should().NotContain(id.ToString(), route.ToString());
                }
            }
        }
    }

    [Fact]
    public async Task Another_persons_session_does_not_exist()
    {
        var (one, other) = (await api.RegisterAsync(), await api.RegisterAsync());
        var session = (await other.GetAsync("auth/sessions")).Body.GetProperty("data")[0].GetProperty("id").GetString();

        (await one.DeleteAsync($"auth/sessions/{session}")).Status.Should().Be(HttpStatusCode.NotFound);
        (await other.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Row_level_security_holds_when_every_filter_of_the_model_is_off()
    {
        var (mine, _) = await TwoTenantsAsync();

        await using var scope = api.Service<IServiceScopeFactory>().CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<TenantScope>().Enter(new OrganizationId(mine), project: null, 365);
        var db = scope.ServiceProvider.GetRequiredService<VtpDbContext>();

        (await db.Organizations.IgnoreQueryFilters().Select(row => row.Id).ToListAsync()).Should().Equal(new OrganizationId(mine));
        (await db.Projects.IgnoreQueryFilters().Select(row => row.OrganizationId).Distinct().ToListAsync()).Should().Equal(new OrganizationId(mine));
        (await db.Members.IgnoreQueryFilters().Select(row => row.OrganizationId).Distinct().ToListAsync()).Should().Equal(new OrganizationId(mine));
        (await db.Invitations.IgnoreQueryFilters().Select(row => row.OrganizationId).Distinct().ToListAsync()).Should().Equal(new OrganizationId(mine));
        (await db.ApiKeys.IgnoreQueryFilters().Select(row => row.OrganizationId).Distinct().ToListAsync()).Should().Equal(new OrganizationId(mine));
        (await db.AuditEntries.IgnoreQueryFilters().Select(row => row.OrganizationId).Distinct().ToListAsync()).Should().Equal(new OrganizationId(mine));
        (await db.Projects.IgnoreQueryFilters().ExecuteUpdateAsync(set => set.SetProperty(project => project.ChatEnabled, true))).Should().Be(1);
        (await db.Members.IgnoreQueryFilters().ExecuteDeleteAsync()).Should().Be(2);
    }

    [Fact]
    public async Task A_connection_that_names_no_tenant_sees_and_writes_nothing()
    {
        var (mine, _) = await TwoTenantsAsync();
        await using var database = NpgsqlDataSource.Create(api.ConnectionString);

        foreach (var table in Tables.Concat(TablesWithoutModel))
        {
            await using var count = database.CreateCommand($"SELECT count(*) FROM {table}");
            (await count.ExecuteScalarAsync()).Should().Be(0L, table);
        }

        await using var insert = database.CreateCommand(
            $"INSERT INTO members (id, organization_id, account_id, role, invited_at, joined_at) SELECT gen_random_uuid(), '{mine}', id, 'owner', now(), now() FROM accounts LIMIT 1");
        (await insert.Awaiting(command => command.ExecuteNonQueryAsync()).Should().ThrowAsync<PostgresException>()).Which.SqlState
            .Should().Be(PostgresErrorCodes.InsufficientPrivilege);
    }

    [Fact]
    public async Task The_scope_of_one_request_is_gone_from_its_connection_before_the_next()
    {
        var (mine, _) = await TwoTenantsAsync();
        await using var database = NpgsqlDataSource.Create($"{api.ConnectionString};Maximum Pool Size=1;No Reset On Close=true");

        await using (var scoped = database.CreateBatch())
        {
            scoped.BatchCommands.Add(new NpgsqlBatchCommand($"SELECT set_config('vtp.tenants', '{{{mine}}}', true)"));
            scoped.BatchCommands.Add(new NpgsqlBatchCommand("SELECT count(*) FROM projects"));
            await using var reader = await scoped.ReadAsync(CancellationToken.None);
            await reader.ReadAsync();
            reader.GetInt64(0).Should().Be(1);
        }

        await using var next = database.CreateCommand("SELECT count(*) FROM projects");
        (await next.ExecuteScalarAsync()).Should().Be(0L);
    }

    [Fact]
    public void Every_table_of_a_tenant_has_its_filter()
    {
        using var scope = api.Service<IServiceScopeFactory>().CreateScope();
        var owned = scope.ServiceProvider.GetRequiredService<VtpDbContext>().Model.GetEntityTypes()
            .Where(type => type.FindProperty("OrganizationId") is not null || type.ClrType.IsAssignableTo(typeof(IOfTenant)) || type.ClrType == typeof(Organization))
            .ToList();

        owned.Should().HaveCount(Tables.Length);
        owned.Where(type => type.FindDeclaredQueryFilter(Queries.TenantFilter) is null).Should().BeEmpty();
    }

    [Fact]
    public async Task Every_table_with_an_organization_has_its_policy_and_forces_it()
    {
        var open = await api.QueryAsync<string[]>(
            """
            SELECT coalesce(array_agg(relname::text), '{}') FROM pg_class class
            JOIN pg_attribute ON attrelid = class.oid AND attname = 'organization_id' AND NOT attisdropped
            WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
                AND NOT (relrowsecurity AND relforcerowsecurity AND (relispartition OR EXISTS (SELECT FROM pg_policy WHERE polrelid = class.oid)))
            """);

        open.Should().BeEmpty();
    }

    private async Task<(Guid Mine, Guid Other)> TwoTenantsAsync()
    {
        var (ours, theirs) = (await api.FoundSchoolAsync(), await api.FoundSchoolAsync());
        return ((await Tenant.OfAsync(ours)).Organization, (await Tenant.OfAsync(theirs)).Organization);
    }

    /// <summary>Without what the server does by itself meanwhile: entries are sealed, uses of keys noted.</summary>
    private async Task<string> SnapshotAsync(Guid organization)
    {
        var rows = Tables.Select(table =>
            $"SELECT '{table}' AS name, (to_jsonb(row) - '{{sequence,previous_hash,hash,last_used_at}}'::text[])::text AS row FROM {table} row WHERE {(table == "organizations" ? "id" : "organization_id")} = '{organization}'");
        return await api.QueryAsync<string>($"SELECT string_agg(name || row, E'\\n' ORDER BY name, row) FROM ({string.Join(" UNION ALL ", rows)}) all_rows") ?? "";
    }
}

/// <summary>Alone with its database, whose policies it takes away.</summary>
public sealed class FilterTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task The_filters_of_the_model_hold_when_row_level_security_is_off()
    {
        var (ours, theirs) = (await api.FoundSchoolAsync(), await api.FoundSchoolAsync());
        await Tenant.OfAsync(theirs);
        var mine = await Tenant.OfAsync(ours);
        foreach (var table in new[] { "organizations", "members", "invitations", "projects", "api_keys", "audit_entries" })
        {
            await api.QueryAsync<int>($"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY");
        }

        await using var scope = api.Service<IServiceScopeFactory>().CreateAsyncScope();
        var tenant = scope.ServiceProvider.GetRequiredService<TenantScope>();
        var db = scope.ServiceProvider.GetRequiredService<VtpDbContext>();
        (await db.Projects.CountAsync() + await db.Members.CountAsync() + await db.AuditEntries.CountAsync()).Should().Be(0, "an empty scope shows nothing");

        tenant.Enter(new OrganizationId(mine.Organization), project: null, 365);
        (await db.Organizations.Select(row => row.Id).ToListAsync()).Should().Equal(new OrganizationId(mine.Organization));
        (await db.Projects.CountAsync()).Should().Be(1);
        (await db.Members.CountAsync()).Should().Be(2);
        (await db.Invitations.CountAsync()).Should().Be(1);
        (await db.ApiKeys.CountAsync()).Should().Be(3);
        (await db.AuditEntries.Select(row => row.OrganizationId).Distinct().ToListAsync()).Should().Equal(new OrganizationId(mine.Organization));

        tenant.Narrow(new Domain.Tenancy.Projects.ProjectId(Guid.NewGuid()));
        (await db.Projects.CountAsync() + await db.ApiKeys.CountAsync()).Should().Be(0);
    }
}
