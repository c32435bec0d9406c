using System.Net;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Vtp.Application.Tenancy.Archives;
using Vtp.Infrastructure.Archives;
using Vtp.Infrastructure.Persistence;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tenancy;

public sealed class ArchiveTests(VtpApi api) : IClassFixture<VtpApi>, IAsyncLifetime
{
    private readonly VtpApi _empty = new();

    public Task InitializeAsync() => _empty.InitializeAsync();

    public Task DisposeAsync() => _empty.DisposeAsync();

    [Fact]
    public async Task An_organization_that_is_restored_into_an_empty_server_is_the_same_to_the_byte()
    {
        var school = await ArchivedSchool.FoundAsync(api);
        await ArchivedSchool.FoundAsync(api);
        var archive = await school.Owner.ExportAsync("organizations", school.Id);
        var package = Package.Read(archive);
        package.Rows("members.jsonl").Should().HaveCount(2);
        package.Rows("invitations.jsonl").Should().HaveCount(4);
        package.Rows("projects.jsonl").Should().HaveCount(2);
        package.Rows("api_keys.jsonl").Should().HaveCount(7);
        package.Rows("audit_entries.jsonl").Should().HaveCountGreaterThan(12).And.Contain(row => row["hash"] != null);
        package.Lines("accounts.jsonl").Should().AllSatisfy(line => line.Should().NotContain("password").And.NotContain("admin"));
        package.Lines("invitations.jsonl").Should().NotContain(line => line.Contains("token"));

        var operatorOfNew = await _empty.RegisterAdministratorAsync();
        var imported = await operatorOfNew.ImportAsync(archive);
        imported.Status.Should().Be(HttpStatusCode.Created, imported.Text);
        (imported["id"], imported["name"], imported["people_created"], imported["people_kept"]).Should().Be((school.Id.ToString(), school.Name, "2", "0"));

        var owner = await ResetAsync(_empty, school.Owner.Email);
        var again = Package.Read(await owner.ExportAsync("organizations", school.Id));
        again.Hashes.Should().Equal(package.Hashes);
        again.Files.Where(file => file.Name != Package.Manifest).Should().AllSatisfy(file => file.Bytes.Should().Equal(package[file.Name]));

        var trail = await owner.GetAsync($"audit-logs/verify?org_id={school.Id}");
        trail.Body.GetProperty("valid").GetBoolean().Should().BeTrue(trail.Text);
        trail.Body.GetProperty("entries").GetInt64().Should().BeGreaterThan(package.Rows("audit_entries.jsonl").Count, "the chain goes on where it ended");
        (await owner.GetAsync($"audit-logs/stats?org_id={school.Id}")).Body.GetProperty("total_actions").GetInt64().Should().BeGreaterThan(12);
        (await ProjectByKeyAsync(_empty, school.Project, school.Key)).Status.Should().Be(HttpStatusCode.OK);
        (await ProjectByKeyAsync(_empty, school.Project, school.RevokedKey)).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await owner.GetAsync($"organizations/{school.Id}"))["role"].Should().Be("Owner");
        foreach (var (list, count) in new[] { ("members", 2), ("invitations", 4) })
        {
            (await owner.GetAsync($"organizations/{school.Id}/{list}")).Body.GetProperty("data").GetArrayLength().Should().Be(count);
        }

        (await owner.GetAsync($"projects?org_id={school.Id}")).Body.GetProperty("data").GetArrayLength().Should().Be(1);
        (await owner.GetAsync($"projects?org_id={school.Id}&deleted=true")).Body.GetProperty("data").GetArrayLength().Should().Be(1);
        (await owner.GetAsync($"projects/{school.Project}/keys")).Body.GetProperty("data").GetArrayLength().Should().Be(5);
        (await owner.PostAsync($"organizations/{school.Id}/invitations/{school.PendingInvitation}/resend")).Status.Should().Be(HttpStatusCode.OK);
        (await _empty.QueryAsync<string>("SELECT role FROM accounts WHERE id = $1", school.Teacher.UserId)).Should().Be("teacher", "nobody becomes an administrator by an archive");
        (await _empty.SystemAsync<long>("SELECT count(*) FROM audit_entries WHERE action = 'organization.imported' AND organization_id IS NULL AND target_id = $1", school.Id)).Should().Be(1);
        (await api.SystemAsync<long>("SELECT count(*) FROM audit_entries WHERE action = 'organization.exported' AND organization_id = $1", school.Id)).Should().Be(1);
    }

    [Fact]
    public async Task A_project_goes_to_another_organization_of_another_server_and_is_the_same_to_the_byte()
    {
        var school = await ArchivedSchool.FoundAsync(api);
        var archive = await school.Owner.ExportAsync("projects", school.Project);
        var package = Package.Read(archive);
        package.Files.Select(file => file.Name).Should().Equal("projects.jsonl", "api_keys.jsonl", Package.Manifest);
        package.Lines("api_keys.jsonl").Should().HaveCount(5).And.NotContain(line => line.Contains("organization_id"));

        var (founder, organization) = await FoundAsync(_empty);
        var imported = await founder.ImportAsync($"projects/import?org_id={organization}", archive);
        imported.Status.Should().Be(HttpStatusCode.Created, imported.Text);
        imported.Body.GetProperty("project").GetProperty("org_id").GetGuid().Should().Be(organization);

        var again = Package.Read(await founder.ExportAsync("projects", school.Project));
        again.Hashes.Should().Equal(package.Hashes);
        (await ProjectByKeyAsync(_empty, school.Project, school.Key)).Status.Should().Be(HttpStatusCode.OK);
        (await founder.ImportAsync($"projects/import?org_id={organization}", archive)).ShouldBeProblem(HttpStatusCode.Conflict, "archive.exists");
        (await founder.ImportAsync($"projects/import?org_id={Guid.NewGuid()}", archive)).ShouldBeProblem(HttpStatusCode.NotFound, "organization.not_found");
        (await _empty.SystemAsync<long>("SELECT count(*) FROM audit_entries WHERE action = 'project.imported' AND outcome = 'succeeded' AND organization_id = $1 AND project_id = $2", organization, school.Project))
            .Should().Be(1);
    }

    [Fact]
    public async Task People_whose_account_is_on_the_server_keep_it_and_a_mere_claim_of_an_address_gets_no_part()
    {
        var school = await ArchivedSchool.FoundAsync(api);
        var archive = await school.Owner.ExportAsync("organizations", school.Id);
        var owner = await (await _empty.RegisterAsync(school.Owner.Email, "an entirely other password")).VerifyEmailAsync();
        var claim = await _empty.RegisterAsync(school.Teacher.Email, "somebody else's password");
        var before = await _empty.QueryAsync<string>("SELECT accounts::text FROM accounts WHERE id = $1", owner.UserId);

        var imported = await (await _empty.RegisterAdministratorAsync()).ImportAsync(archive);
        imported.Status.Should().Be(HttpStatusCode.Created, imported.Text);
        (imported["people_created"], imported["people_kept"]).Should().Be(("1", "1"));

        (await _empty.QueryAsync<string>("SELECT accounts::text FROM accounts WHERE id = $1", owner.UserId)).Should().Be(before);
        (await owner.GetAsync($"organizations/{school.Id}"))["role"].Should().Be("Owner");
        (await claim.GetAsync($"organizations/{school.Id}")).Status.Should().Be(HttpStatusCode.NotFound);
        var teacher = await ResetAsync(_empty, school.Teacher.Email);
        teacher.UserId.Should().Be(school.Teacher.UserId);
        (await teacher.GetAsync($"organizations/{school.Id}"))["role"].Should().Be("Developer");
    }

    [Fact]
    public async Task Only_owners_export_and_only_operators_import_an_organization()
    {
        var school = await ArchivedSchool.FoundAsync(api);
        (await school.Teacher.GetAsync($"organizations/{school.Id}/export")).ShouldBeProblem(HttpStatusCode.Forbidden, "auth.forbidden");
        (await (await api.RegisterAsync()).GetAsync($"organizations/{school.Id}/export")).ShouldBeProblem(HttpStatusCode.NotFound, "organization.not_found");
        (await (await api.RegisterAsync()).GetAsync($"projects/{school.Project}/export")).ShouldBeProblem(HttpStatusCode.NotFound, "project.not_found");
        (await school.Owner.ImportAsync([1])).ShouldBeProblem(HttpStatusCode.Forbidden, "auth.forbidden");
        (await api.GetAsync($"projects/{school.Project}/export", school.Key)).ShouldBeProblem(HttpStatusCode.Forbidden, "auth.person_needed");
    }

    [Fact]
    public async Task What_exists_is_a_conflict_and_stays_as_it_is()
    {
        var school = await ArchivedSchool.FoundAsync(api);
        var archive = await school.Owner.ExportAsync("organizations", school.Id);
        var administrator = await api.RegisterAdministratorAsync();
        await RefusedAsync(administrator, archive, "archive.exists");

        (await api.SendAsync(HttpMethod.Delete, $"organizations/{school.Id}", token: school.Owner.AccessToken)).Status.Should().Be(HttpStatusCode.OK);
        await RefusedAsync(administrator, archive, "archive.exists");

        var (other, operatorOfNew) = (Package.Read(archive), await _empty.RegisterAdministratorAsync());
        await FoundAsync(_empty, (string)other.Rows("organizations.jsonl")[0]["admin_email"]!);
        await RefusedAsync(operatorOfNew, archive, "organization.address_taken");

        // Another organization with a key that somebody on this server has.
        var (founder, organization) = await FoundAsync(_empty);
        var project = await founder.ImportAsync($"projects/import?org_id={organization}", await (await RestoredAsync(school)).ExportAsync("projects", school.Project));
        project.Status.Should().Be(HttpStatusCode.Created, project.Text);
        var keys = Package.Read(await founder.ExportAsync("projects", school.Project));
        var id = Guid.CreateVersion7();
        keys.Forge("projects.jsonl", row => row["id"] = id.ToString()).Change(manifest => manifest["id"] = id.ToString());
        var forged = keys.Rows("api_keys.jsonl")[..1];
        (forged[0]["id"], forged[0]["project_id"]) = (Guid.CreateVersion7().ToString(), id.ToString());
        keys.Replace("api_keys.jsonl", $"{forged[0].ToJsonString()}\n");
        var before = await _empty.ContentAsync();
        (await founder.ImportAsync($"projects/import?org_id={organization}", keys.ToZip())).ShouldBeProblem(HttpStatusCode.Conflict, "api_key.taken");
        (await _empty.ContentAsync()).Should().Be(before);
    }

    [Fact]
    public async Task A_connection_that_dies_in_the_middle_of_an_import_leaves_nothing()
    {
        var school = await ArchivedSchool.FoundAsync(api);
        var archive = await school.Owner.ExportAsync("organizations", school.Id);
        var administrator = await _empty.RegisterAdministratorAsync();
        await _empty.QueryAsync<int>(
            """
            CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
            CREATE TRIGGER die AFTER INSERT ON api_keys FOR EACH STATEMENT EXECUTE FUNCTION die();
            """);
        var before = await _empty.ContentAsync();

        (await administrator.ImportAsync(archive)).ShouldBeProblem(HttpStatusCode.ServiceUnavailable, "server.database_away");
        (await _empty.ContentAsync()).Should().Be(before);

        await _empty.QueryAsync<int>("DROP TRIGGER die ON api_keys");
        var second = await administrator.ImportAsync(archive);
        second.Status.Should().Be(HttpStatusCode.Created, second.Text);
    }

    [Fact]
    public async Task Every_table_of_an_organization_is_in_the_archive_or_says_why_not()
    {
        await using var source = NpgsqlDataSource.Create(api.ConnectionString);
        await using var command = source.CreateCommand(
            """
            SELECT array_agg(DISTINCT class.relname::text) FROM pg_attribute
            JOIN pg_class class ON class.oid = attrelid AND relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
            WHERE attname IN ('organization_id', 'project_id') AND NOT attisdropped
            """);
        var tables = (string[])(await command.ExecuteScalarAsync())!;

        tables.Should().NotBeEmpty();
        tables.Except(ArchiveTables.Of(ArchiveKind.Organization).Select(table => table.Name), StringComparer.Ordinal).Except(ArchiveTables.LeftOut.Keys, StringComparer.Ordinal).Should().BeEmpty(
            "a table of organizations must be added to ArchiveTables.All, so that archives carry it, or to ArchiveTables.LeftOut with the reason why they do not");
        using var scope = api.Service<IServiceScopeFactory>().CreateScope();
        var sealedColumns = scope.ServiceProvider.GetRequiredService<VtpDbContext>().Model.GetEntityTypes()
            .SelectMany(entity => entity.GetProperties().Where(property => property.FindAnnotation(VtpDbContext.Sealed) is not null)
                .Select(property => $"{entity.GetTableName()}.{property.GetColumnName()}"))
            .ToList();
        sealedColumns.Should().NotBeEmpty();
        foreach (var table in ArchiveTables.Of(ArchiveKind.Organization))
        {
            var columns = await ArchiveColumn.OfAsync(source, table, isOfProject: false, CancellationToken.None);
            columns.Should().NotBeEmpty().And.AllSatisfy(column => column.Written.Should().NotBeEmpty());
            columns.Select(column => $"{table.Name}.{column.Name}").Should().NotIntersectWith(
                sealedColumns, "what is sealed with one server's keys no other can open: see ArchiveTables about such columns");
            table.Rules.Keys.Should().BeSubsetOf(columns.Select(column => column.Name), "rules of {0} are about its columns", table.Name);
        }
    }

    private async Task<Person> RestoredAsync(ArchivedSchool school)
    {
        var again = await school.Owner.SignInAgainAsync();
        (await again.PostAsync($"organizations/{school.Id}/restore")).Status.Should().Be(HttpStatusCode.OK);
        return again;
    }

    private static async Task RefusedAsync(Person administrator, byte[] archive, string error)
    {
        var before = await administrator.Api.ContentAsync();
        (await administrator.ImportAsync(archive)).ShouldBeProblem(HttpStatusCode.Conflict, error, error == "organization.address_taken" ? "admin_email" : null);
        (await administrator.Api.ContentAsync()).Should().Be(before);
    }

    private static async Task<(Person Founder, Guid Organization)> FoundAsync(VtpApi server, string? adminEmail = null)
    {
        var founder = await server.RegisterAsync();
        var answer = await founder.PostAsync("organizations", new { name = "Another school", admin_email = adminEmail ?? Intents.NewAddress() });
        answer.Status.Should().Be(HttpStatusCode.Created, answer.Text);
        return (founder, Guid.Parse(answer["id"]));
    }

    private static Task<Answer> ProjectByKeyAsync(VtpApi server, Guid project, string key) =>
        server.SendAsync(HttpMethod.Get, $"projects/{project}", headers: ("X-API-Key", key));

    /// <summary>What somebody does who was restored without a password.</summary>
    private static async Task<Person> ResetAsync(VtpApi server, string email)
    {
        const string Password = "a staple for the battery";
        (await server.PostAsync("auth/forgot-password", new { email })).Status.Should().Be(HttpStatusCode.OK);
        var token = await server.TokenFromMailAsync(email, "Reset your password");
        var reset = await server.PostAsync("auth/reset-password", new { token, new_password = Password });
        reset.Status.Should().Be(HttpStatusCode.OK, reset.Text);
        var signedIn = await server.SignInAsync(email, Password);
        signedIn.Status.Should().Be(HttpStatusCode.OK, signedIn.Text);
        var person = new Person(server, email, Password, signedIn["access_token"], signedIn["refresh_token"], Guid.Empty);
        var profile = await person.GetAsync("auth/profile");
        return person with { UserId = Guid.Parse(profile["user_id"]) };
    }
}
