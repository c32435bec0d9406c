using System.Buffers.Text;
using System.Net;
using System.Text.Json;
using Vtp.Infrastructure.Audit;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Audit;

/// <summary>What belongs to no organization has a trail too, and administrators read it. Alone with its database, whose trail it edits.</summary>
public sealed class InstallationTrailTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task Administrators_search_it_page_by_page_and_see_nothing_of_organizations()
    {
        var admin = await api.RegisterAdministratorAsync();
        var school = await api.FoundSchoolAsync();
        await school.CreateProjectAsync();
        var person = await api.RegisterAsync();
        await person.SignInAgainAsync();
        await api.SignInAsync(person.Email, "a wrong password");

        foreach (var isSealed in new[] { false, true })
        {
            if (isSealed)
            {
                await admin.GetAsync("admin/audit-logs/verify");
            }

            var all = await AllAsync(admin, "");
            all.Should().OnlyHaveUniqueItems(entry => entry.GetProperty("id").GetGuid());
            all.Should().OnlyContain(entry => entry.GetProperty("org_id").ValueKind == JsonValueKind.Null);
            all.Select(entry => entry.GetProperty("timestamp").GetDateTimeOffset()).Should().BeInDescendingOrder();
            ((long)all.Count).Should().Be(await api.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE organization_id IS NULL"));

            (await AllAsync(admin, $"user_email={person.Email[..20]}")).Select(Action).Should().Equal("session.started", "account.registered");
            (await AllAsync(admin, "action=session.started&status=Failed")).Select(Action).Should().Equal("session.started");
            (await AllAsync(admin, $"resource_id={person.UserId}")).Should().OnlyContain(entry => entry.GetProperty("resource").GetString() == "account");
            (await AllAsync(admin, "resource=account&actor_type=anonymous")).Should().Contain(entry => Action(entry) == "session.started");
            (await AllAsync(admin, "status=Failed&end_date=2020-01-01")).Should().BeEmpty();
        }

        (await admin.GetAsync("admin/audit-logs?action=nothing")).ShouldBeProblem(HttpStatusCode.BadRequest, "request.invalid", "action");
        (await admin.GetAsync("admin/audit-logs?cursor=nothing")).ShouldBeProblem(HttpStatusCode.BadRequest, "request.cursor_invalid", "cursor");
    }

    [Fact]
    public async Task An_export_of_it_is_verified_by_the_server_the_command_and_the_script_and_is_itself_audited()
    {
        var admin = await api.RegisterAdministratorAsync();

        var export = await admin.GetAsync("admin/audit-logs/export?format=ndjson");

        export.Status.Should().Be(HttpStatusCode.OK, export.Text);
        export.Text.Should().StartWith("{\"type\":\"export\",\"version\":1,\"organization_id\":null,");
        var (findings, command, script, said) = await api.VerifyExportAsync(export.Text);
        findings.Should().BeEmpty(said);
        (command, script).Should().Be((0, 0), said);
        (await admin.GetAsync("admin/audit-logs/export")).Text.Should().StartWith("ID,Timestamp,").And.Contain(",account.registered,").And.NotContain(",organization.created,");
        (await AllAsync(admin, "action=installation.audit_exported")).Should().HaveCountGreaterThanOrEqualTo(2);

        var verified = await admin.GetAsync("admin/audit-logs/verify");
        verified.Body.GetProperty("valid").GetBoolean().Should().BeTrue(verified.Text);
        verified.Body.GetProperty("last_sequence").GetInt64().Should().BeGreaterThan(3);

        await TamperAsync("UPDATE audit_entries SET target_name = coalesce(target_name, '') || 'x' WHERE organization_id IS NULL AND sequence = 2");
        (await admin.GetAsync("admin/audit-logs/verify")).Body.GetProperty("findings")[0].GetProperty("sequence").GetInt64().Should().Be(2);
        await TamperAsync("UPDATE audit_entries SET target_name = nullif(left(target_name, -1), '') WHERE organization_id IS NULL AND sequence = 2");
    }

    [Fact]
    public async Task A_new_key_is_published_at_once_signs_on_every_node_a_minute_later_and_what_older_ones_signed_stays_valid()
    {
        var (admin, school) = (await api.RegisterAdministratorAsync(), await api.FoundSchoolAsync());
        await school.SealedAsync();
        var second = await SecondNode.BesideAsync(api);
        try
        {
            var before = await KidsAsync(api);

            var rotated = await admin.PostAsync("admin/audit-logs/keys/rotate");

            rotated.Status.Should().Be(HttpStatusCode.OK, rotated.Text);
            (await KidsAsync(api)).Should().Equal([rotated["kid"], .. before]);
            (await AllAsync(admin, "action=audit_key.rotated")).Should().NotBeEmpty();
            await school.WriteEntriesAsync(3);
            await school.SealedAsync();
            (await SignersAsync()).Should().AllBe(before[0], "it has been published for less than a minute");
            await VtpApi.UntilAsync(async () => (await KidsAsync(second)).Contains(rotated["kid"]), "the other node to publish it");

            api.Clock.Advance(TimeSpan.FromMinutes(1));
            await school.WriteEntriesAsync(3);
            await second.Service<AuditSealer>().CompleteAsync(school.Id, CancellationToken.None);

            (await SignersAsync()).Should().HaveElementAt(0, before[0]).And.EndWith(rotated["kid"]);
            await school.SealedAsync();
            var (findings, command, script, said) = await school.VerifyExportAsync(await school.ExportAsync());
            findings.Should().BeEmpty(said);
            (command, script).Should().Be((0, 0), said);
        }
        finally
        {
            await second.DisposeAsync();
        }

        async Task<List<string>> SignersAsync() =>
        [
            .. (await school.ExportAsync()).Split('\n').Where(line => line.StartsWith("{\"type\":\"checkpoint\"", StringComparison.Ordinal))
                .Select(line => JsonSerializer.Deserialize<JsonElement>(line).GetProperty("jws").GetString()!.Split('.')[0])
                .Select(header => JsonSerializer.Deserialize<JsonElement>(Base64Url.DecodeFromChars(header)).GetProperty("kid").GetString()!),
        ];
    }

    private static async Task<List<string>> KidsAsync(VtpApi api) =>
        [.. JsonSerializer.Deserialize<JsonElement>(await api.AuditKeysAsync()).GetProperty("keys").EnumerateArray().Select(key => key.GetProperty("kid").GetString()!)];

    private static string? Action(JsonElement entry) => entry.GetProperty("action").GetString();

    private static async Task<List<JsonElement>> AllAsync(Person admin, string filter)
    {
        var (all, cursor) = (new List<JsonElement>(), "");
        do
        {
            var page = await admin.GetAsync($"admin/audit-logs?limit=3&{filter}{cursor}");
            page.Status.Should().Be(HttpStatusCode.OK, page.Text);
            all.AddRange(page.Body.GetProperty("data").EnumerateArray());
            cursor = page.Body.GetProperty("next_cursor").GetString() is { } next ? $"&cursor={next}" : null;
        }
        while (cursor is not null);
        return all;
    }

    private Task<int> TamperAsync(string statement) =>
        api.QueryAsync<int>($"ALTER TABLE audit_entries DISABLE TRIGGER USER; {statement}; ALTER TABLE audit_entries ENABLE TRIGGER USER");
}
