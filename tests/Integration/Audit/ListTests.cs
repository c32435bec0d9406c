using System.Net;
using System.Text.Json;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Audit;

public sealed class ListTests(VtpApi api) : IClassFixture<VtpApi>
{
    private static readonly string[] Fields =
    [
        "id", "org_id", "project_id", "user_email", "actor_type", "actor_id", "action", "resource", "resource_id", "resource_name", "ip_address",
        "user_agent", "trace_id", "status", "reason", "changes", "timestamp", "sequence", "hash",
    ];

    [Fact]
    public async Task Every_filter_and_every_pair_of_filters_selects_what_it_says_and_nothing_else()
    {
        var school = await api.FoundSchoolAsync();
        var target = Guid.NewGuid();
        await api.WriteMarkedAsync(
            """
            INSERT INTO audit_entries (id, organization_id, action, outcome, reason, actor_type, actor_name, target_id, occurred_at, kept_until)
            SELECT gen_random_uuid(), $1,
                (ARRAY['project.updated', 'project.deleted', 'api_key.created'])[1 + number % 3],
                CASE WHEN number % 5 = 0 THEN 'refused' ELSE 'succeeded' END, CASE WHEN number % 5 = 0 THEN 'auth.forbidden' END,
                CASE WHEN number % 2 = 0 THEN 'key' ELSE 'user' END,
                (ARRAY['Nightly 100%_\ bot', 'ÅSA@school.example', 'noor@school.example', 'tariq@school.example'])[1 + number % 4],
                CASE WHEN number % 7 = 0 THEN $2 ELSE gen_random_uuid() END,
                '2026-03-01T00:00:00Z'::timestamptz + number * interval '1 hour', now() + (number % 40) * interval '10 days'
            FROM generate_series(0, 239) AS number
            """,
            school.Id, target);
        foreach (var isSealed in new[] { false, true })
        {
            if (isSealed)
            {
                await school.SealedAsync();
            }

            var all = await AllAsync(school, "");
            all.Should().HaveCount(241);
            (string Query, Func<JsonElement, bool> Fits)[] filters =
            [
                ("action=project.updated", entry => Text(entry, "action") == "project.updated"),
                ("resource=project", entry => Text(entry, "resource") == "project"),
                ("resource=member", _ => false),
                ("resource_id=" + target, entry => Text(entry, "resource_id") == target.ToString()),
                ("resource_id=" + Guid.NewGuid(), _ => false),
                ("status=Failed", entry => Text(entry, "status") == "Failed"),
                ("status=Success", entry => Text(entry, "status") == "Success"),
                ("actor_type=key", entry => Text(entry, "actor_type") == "key"),
                ("actor_type=system", _ => false),
                ("user_email=SCHOOL.ex", entry => Text(entry, "user_email").Contains("school.ex", StringComparison.OrdinalIgnoreCase)),
                ("user_email=asa", entry => Text(entry, "user_email").StartsWith("ÅSA", StringComparison.Ordinal)),
                ("user_email=" + Uri.EscapeDataString("100%_\\ b"), entry => Text(entry, "user_email").StartsWith("Nightly", StringComparison.Ordinal)),
                ("user_email=nobody", _ => false),
                ("start_date=2026-03-03&end_date=2026-03-03", entry => entry.GetProperty("timestamp").GetDateTimeOffset().UtcDateTime.Date == new DateTime(2026, 3, 3)),
                ("end_date=2026-03-02T04:00:00Z", entry => entry.GetProperty("timestamp").GetDateTimeOffset() <= DateTimeOffset.Parse("2026-03-02T04:00:00Z")),
                ("start_date=2026-03-02T06:00:00%2B02:00", entry => entry.GetProperty("timestamp").GetDateTimeOffset() >= DateTimeOffset.Parse("2026-03-02T04:00:00Z")),
                ("start_date=2030-01-01", _ => false),
            ];
            foreach (var one in filters)
            {
                foreach (var other in filters.Where(other => other.Query.Split('=')[0] != one.Query.Split('=')[0] && !(other.Query.Contains("_date") && one.Query.Contains("_date"))).Append(one))
                {
                    var query = one == other ? one.Query : $"{one.Query}&{other.Query}";
                    var found = await AllAsync(school, query, onePage: true);
                    found.Select(Id).Should().Equal(all.Where(entry => one.Fits(entry) && other.Fits(entry)).Take(100).Select(Id), query);
                }
            }
        }
    }

    [Fact]
    public async Task A_part_that_fits_many_actors_finds_them_among_the_newest_and_far_behind_them()
    {
        var school = await api.FoundSchoolAsync();
        await api.WriteMarkedAsync(
            """
            INSERT INTO audit_entries (id, organization_id, action, outcome, actor_type, actor_name, occurred_at, kept_until)
            SELECT gen_random_uuid(), $1, 'project.updated', 'succeeded', 'user',
                CASE WHEN number < 150 THEN 'many' || number || '@school.example' ELSE 'noor@school.example' END,
                '2026-03-01T00:00:00Z'::timestamptz + number * interval '1 minute', now() + (number % 40) * interval '10 days'
            FROM generate_series(0, 2499) AS number
            """,
            school.Id);
        await school.SealedAsync();

        var behind = await AllAsync(school, "user_email=many&resource=project");
        behind.Select(entry => Text(entry, "user_email")).Should().Equal(Enumerable.Range(0, 150).Reverse().Select(number => $"many{number}@school.example"));
        var newest = await AllAsync(school, "user_email=school&resource=project", limit: 90);
        newest.Should().HaveCount(2500).And.OnlyHaveUniqueItems(entry => entry.GetProperty("id").GetGuid());
        newest.Select(entry => entry.GetProperty("timestamp").GetDateTimeOffset()).Should().BeInDescendingOrder();
    }

    [Fact]
    public async Task Entries_have_the_fields_of_the_contract_newest_first_and_pages_meet_each_once()
    {
        var school = await api.FoundSchoolAsync();
        await school.WriteEntriesAsync(50);
        await api.QueryAsync<int>("ALTER TABLE audit_entries DISABLE TRIGGER USER; UPDATE audit_entries SET occurred_at = date_trunc('hour', occurred_at) WHERE organization_id = $1; ALTER TABLE audit_entries ENABLE TRIGGER USER".Replace("$1", $"'{school.Id}'"));

        var entries = await AllAsync(school, "", limit: 7);

        entries.Should().HaveCount(51).And.OnlyHaveUniqueItems(entry => entry.GetProperty("id").GetGuid());
        entries.Select(entry => (entry.GetProperty("timestamp").GetDateTimeOffset(), Id(entry))).Should().BeInDescendingOrder(entry => entry.Item1);
        entries.Should().OnlyContain(entry => entry.EnumerateObject().Select(field => field.Name).SequenceEqual(Fields));
        (await school.Owner.GetAsync($"audit-logs?org_id={school.Id}&limit=1000000")).Data().Should().HaveCount(51);
        (await school.Owner.GetAsync($"audit-logs?org_id={school.Id}&limit=0")).Data().Should().HaveCount(1);
        var recent = await school.Owner.GetAsync($"audit-logs/recent?org_id={school.Id}");
        recent.Body.GetProperty("logs").GetArrayLength().Should().Be(20);
        recent.Body.GetProperty("total").GetInt32().Should().Be(20);
    }

    [Theory]
    [InlineData("start_date=2026-05-02&end_date=2026-05-01", "start_date")]
    [InlineData("start_date=2026-05-01T10:00:00Z&end_date=2026-05-01T09:59:59Z", "start_date")]
    [InlineData("start_date=yesterday", "start_date")]
    [InlineData("end_date=2026-13-01", "end_date")]
    [InlineData("end_date=2026-05-01T10:00:00", "end_date")]
    [InlineData("action=nonsense", "action")]
    [InlineData("resource=nonsense", "resource")]
    [InlineData("resource_id=nonsense", "resource_id")]
    [InlineData("status=Perhaps", "status")]
    [InlineData("actor_type=robot", "actor_type")]
    [InlineData("cursor=nonsense", "cursor")]
    [InlineData("cursor=", "cursor")]
    [InlineData("cursor=________________________________", "cursor")]
    public async Task What_cannot_be_right_is_400_and_names_its_field(string query, string field)
    {
        var person = await api.RegisterAsync();

        var answer = await person.GetAsync($"audit-logs?{query}");

        answer.ShouldBeProblem();
        answer.Status.Should().Be(HttpStatusCode.BadRequest, answer.Text);
        answer.Body.GetProperty("errors").EnumerateObject().Should().ContainSingle().Which.Name.Should().Be(field);
        if (query == "action=nonsense")
        {
            answer.Text.Should().Contain("project.updated");
        }
    }

    [Fact]
    public async Task The_same_day_at_both_ends_is_one_whole_day()
    {
        var person = await api.RegisterAsync();

        (await person.GetAsync("audit-logs?start_date=2026-05-01&end_date=2026-05-01")).Status.Should().Be(HttpStatusCode.OK);
        (await person.GetAsync("audit-logs?start_date=9999-12-31&end_date=9999-12-31")).Status.Should().Be(HttpStatusCode.OK);
        (await person.GetAsync("audit-logs?end_date=0001-01-01")).Status.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Statistics_count_what_is_sealed_and_what_is_not_and_know_no_NaN()
    {
        var empty = await api.FoundSchoolAsync();
        await empty.TamperAsync("DELETE FROM audit_entries WHERE ORG", "DELETE FROM audit_counts WHERE ORG");
        var nothing = await empty.Owner.GetAsync($"audit-logs/stats?org_id={empty.Id}");
        nothing.Body.GetProperty("success_rate").GetDouble().Should().Be(0);
        nothing.Body.GetProperty("period_days").GetInt32().Should().Be(30);

        var school = await api.FoundSchoolAsync();
        await school.WriteEntriesAsync(10);
        await school.Owner.PostAsync($"projects?org_id={Guid.NewGuid()}", new { name = "Nothing", region = "eu-west" });
        var stranger = await api.RegisterAsync();
        await school.AddMemberAsync(stranger, "Viewer");
        (await stranger.PostAsync($"projects?org_id={school.Id}", new { name = "Refused", region = "eu-west" })).Status.Should().Be(HttpStatusCode.Forbidden);

        var unsealed = await school.Owner.GetAsync($"audit-logs/stats?org_id={school.Id}&days=3650");
        await school.SealedAsync();
        await school.WriteEntriesAsync(1);
        var both = await school.Owner.GetAsync($"audit-logs/stats?org_id={school.Id}&days=3650");
        var today = await school.Owner.GetAsync($"audit-logs/stats?org_id={school.Id}&days=1");

        unsealed.Body.GetProperty("total_actions").GetInt64().Should().Be(12);
        unsealed.Body.GetProperty("failed_actions").GetInt64().Should().Be(1);
        unsealed.Body.GetProperty("success_rate").GetDouble().Should().Be(91.67);
        both.Body.GetProperty("total_actions").GetInt64().Should().Be(13);
        both.Body.GetProperty("top_actions")[0].GetRawText().Should().Be("{\"_id\":\"project.updated\",\"count\":11}");
        both.Body.GetProperty("top_users")[0].GetRawText().Should().Be("{\"_id\":\"noor@school.example\",\"count\":11}");
        today.Body.GetProperty("start_date").GetDateTimeOffset().TimeOfDay.Should().Be(TimeSpan.Zero);
        foreach (var days in new[] { "0", "3651", "-1" })
        {
            (await school.Owner.GetAsync($"audit-logs/stats?org_id={school.Id}&days={days}")).ShouldBeProblem(HttpStatusCode.BadRequest, "request.invalid", "days");
        }

        (await school.Owner.GetAsync("audit-logs/stats")).Status.Should().Be(HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData("audit-logs")]
    [InlineData("audit-logs/recent")]
    [InlineData("audit-logs/stats")]
    [InlineData("audit-logs/export")]
    [InlineData("audit-logs/verify")]
    public async Task Another_organization_does_not_exist(string path)
    {
        var (ours, theirs) = (await api.FoundSchoolAsync(), await api.FoundSchoolAsync());

        (await ours.Owner.GetAsync($"{path}?org_id={theirs.Id}")).Status.Should().Be(HttpStatusCode.NotFound);
    }

    private static string Text(JsonElement entry, string field) => entry.GetProperty(field).ToString();

    private static Guid Id(JsonElement entry) => entry.GetProperty("id").GetGuid();

    private static async Task<List<JsonElement>> AllAsync(School school, string query, bool onePage = false, int limit = 100)
    {
        var (all, cursor) = (new List<JsonElement>(), "");
        do
        {
            var page = await school.Owner.GetAsync($"audit-logs?org_id={school.Id}&limit={limit}&{query}{cursor}");
            page.Status.Should().Be(HttpStatusCode.OK, page.Text);
            all.AddRange(page.Body.GetProperty("data").EnumerateArray());
            cursor = page["next_cursor"] is { Length: > 0 } next ? $"&cursor={next}" : null;
        }
        while (cursor is not null && !onePage);

        return all;
    }
}
