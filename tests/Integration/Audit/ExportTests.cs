using System.Net;
using System.Text.Json;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Audit;

public sealed class ExportTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task CSV_quotes_what_needs_it_and_disarms_formulas()
    {
        var school = await api.FoundSchoolAsync();
        foreach (var name in new[] { "=SUM(A1)", "+1", "-1", "@cmd", "\tTab", "A, \"quoted\"\nname" })
        {
            await api.WriteMarkedAsync(
                """
                INSERT INTO audit_entries (id, organization_id, action, outcome, actor_type, actor_name, target_name, ip_address, occurred_at)
                VALUES (gen_random_uuid(), $1, 'project.updated', 'succeeded', 'key', $2, $2, '192.0.2.7', '2026-01-02T03:04:05.000006Z')
                """,
                school.Id, name);
        }

        var answer = await school.Owner.GetAsync($"audit-logs/export?org_id={school.Id}&action=project.updated");

        answer.ContentHeaders.ContentType!.ToString().Should().Be("text/csv; charset=utf-8");
        answer.ContentHeaders.ContentDisposition!.FileName.Should().MatchRegex("^audit_logs_[0-9]{4}-[0-9]{2}-[0-9]{2}_[0-9]{6}\\.csv$");
        answer.Text.Should().StartWith("ID,Timestamp,User Email,Action,Resource,Resource ID,Resource Name,IP Address,Status\r\n");
        answer.Text.Should().Contain(",2026-01-02T03:04:05.000006Z,'=SUM(A1),project.updated,project,,'=SUM(A1),192.0.2.7,Success\r\n")
            .And.Contain(",'+1,").And.Contain(",'-1,").And.Contain(",'@cmd,").And.Contain(",'\tTab,")
            .And.Contain(",\"A, \"\"quoted\"\"\nname\",project.updated");
        answer.Text.Should().NotMatchRegex("(?m)(^|,)\"?[=+@-]");
    }

    [Fact]
    public async Task NDJSON_is_one_object_a_line_and_what_is_asked_for_by_Accept_too()
    {
        var school = await api.FoundSchoolAsync();
        await school.WriteEntriesAsync(5);
        var export = await school.ExportAsync();
        var lines = export.Split('\n');
        lines[^1].Should().BeEmpty();

        lines[..^1].Select(line => JsonSerializer.Deserialize<JsonElement>(line).GetProperty("type").GetString())
            .Where((type, index) => type != "checkpoint" || index == lines.Length - 2)
            .Should().Equal(["export", .. Enumerable.Repeat("entry", 7), "checkpoint"], "its own entry is in it, and signed");
        lines[0].Should().Contain("\"filters\":{}");

        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/audit-logs/export?org_id={school.Id}&status=Failed");
        request.Headers.Authorization = new("Bearer", school.Owner.AccessToken);
        request.Headers.TryAddWithoutValidation("Accept", "application/x-ndjson");
        var filtered = await api.SendAsync(request);
        filtered.ContentHeaders.ContentType!.ToString().Should().Be("application/x-ndjson");
        filtered.Text.Should().Contain("\"filters\":{\"status\":\"Failed\"}").And.NotContain("\"type\":\"entry\"");
        (await school.VerifyExportAsync(filtered.Text)).Should().Match<(List<Domain.Audit.AuditFinding> Findings, int Command, int Script, string Said)>(verdict => verdict.Command == 0 && verdict.Script == 0);
    }

    [Fact]
    public async Task An_export_is_audited_and_a_chain_needs_its_organization()
    {
        var school = await api.FoundSchoolAsync();
        (await school.Owner.GetAsync("audit-logs/export")).Status.Should().Be(HttpStatusCode.OK, "all of one's organizations, in CSV");

        (await school.Owner.GetAsync("audit-logs/export?format=ndjson")).ShouldBeProblem(HttpStatusCode.BadRequest, "audit.organization_needed", "org_id");
        (await school.Owner.GetAsync($"audit-logs/export?org_id={school.Id}&format=xml")).Status.Should().Be(HttpStatusCode.BadRequest);
        (await school.Owner.GetAsync($"audit-logs/export?org_id={school.Id}&action=nonsense")).ShouldBeProblem(HttpStatusCode.BadRequest, "request.invalid", "action");
        await school.ExportAsync();
        (await school.EntriesAsync("&action=audit.exported"))[0].GetProperty("resource_id").GetGuid().Should().Be(school.Id);
    }

    [Fact]
    public async Task Two_hundred_thousand_entries_flow_through_little_memory_and_who_goes_away_ends_the_query()
    {
        const int Entries = 200_000;
        var school = await api.FoundSchoolAsync();
        await school.WriteEntriesAsync(Entries);
        await api.QueryAsync<int>("ANALYZE audit_entries");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/audit-logs/export?org_id={school.Id}");
        request.Headers.Authorization = new("Bearer", school.Owner.AccessToken);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        long most = 0;
        using (var response = await api.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead))
        await using (var body = await response.Content.ReadAsStreamAsync())
        using (var reader = new StreamReader(body))
        {
            var rows = 0;
            while (await reader.ReadLineAsync() is not null)
            {
                if (++rows % 20_000 == 0)
                {
                    most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before);
                }
            }

            rows.Should().BeGreaterThanOrEqualTo(Entries);
        }

        most.Should().BeLessThan(40 * 1024 * 1024, "the rows of the table are more, and other tests run beside this one");

        using var again = new HttpRequestMessage(HttpMethod.Get, request.RequestUri);
        again.Headers.Authorization = request.Headers.Authorization;
        using (var response = await api.Http.SendAsync(again, HttpCompletionOption.ResponseHeadersRead))
        await using (var body = await response.Content.ReadAsStreamAsync())
        {
            var bytes = new byte[1024];
            await body.ReadExactlyAsync(bytes);
            (await ExportsAsync()).Should().Be(1, "the first bytes come before the last row is read");
        }

        await VtpApi.UntilAsync(async () => await ExportsAsync() == 0, "the query to end");

        Task<long> ExportsAsync() => api.QueryAsync<long>(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle' AND query LIKE 'SELECT id, organization_id%ORDER BY occurred_at, id'");
    }

    [Fact]
    public async Task A_key_takes_away_its_own_projects_part_only()
    {
        var school = await api.FoundSchoolAsync();
        var (one, other) = (await school.CreateProjectAsync("One"), await school.CreateProjectAsync("Other"));
        await school.Owner.PutAsync(one.Path, new { chat_enabled = true });
        await school.Owner.PutAsync(other.Path, new { chat_enabled = true });

        var list = await api.GetWithKeyAsync("audit-logs", one.Secret);
        var export = await api.GetWithKeyAsync($"audit-logs/export?format=ndjson&org_id={school.Id}", one.Secret);
        var statistics = await api.GetWithKeyAsync($"audit-logs/stats?org_id={school.Id}", one.Secret);

        foreach (var answer in new[] { list, export })
        {
            answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
            answer.Text.Should().Contain(one.Id.ToString()).And.NotContain(other.Id.ToString());
        }

        list.Body.GetProperty("data").EnumerateArray().Should().OnlyContain(entry => entry.GetProperty("project_id").GetGuid() == one.Id).And.NotBeEmpty();
        export.Text.Should().StartWith("{\"type\":\"export\"").And.Contain($"\"filters\":{{\"project_id\":\"{one.Id}\"}}");
        statistics.Body.GetProperty("total_actions").GetInt64().Should().Be(3, "its creation, an update, and the export");
        (await api.GetWithKeyAsync($"audit-logs?user_email={school.Owner.Email}", one.Secret)).Data().Should().HaveCount(2);
        (await api.GetWithKeyAsync($"audit-logs/verify?org_id={school.Id}", one.Secret)).Error.Should().Be("auth.person_needed");
        (await school.VerifyExportAsync(export.Text)).Said.Should().Contain("Nothing was found.");
    }
}
