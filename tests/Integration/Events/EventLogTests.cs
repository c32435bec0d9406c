using System.Net;
using Npgsql;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Events;

/// <summary>What is committed is in the log once, in order, whoever reads it and whenever.</summary>
public sealed class EventLogTests(EventApi api) : IClassFixture<EventApi>
{
    [Fact]
    public async Task A_change_is_in_the_log_under_the_id_of_its_entry_in_the_trail()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();

        var events = await school.EventsAsync(atLeast: 5);

        events.Select(one => one.Type).Should().Equal("organization.created", "member.joined", "project.created", "api_key.created", "api_key.created");
        var created = events[2];
        created.Body["event"]!.GetValue<string>().Should().Be("project.created");
        created.Body["project_id"]!.GetValue<Guid>().Should().Be(project.Id);
        created.Body["subject"]!.GetValue<string>().Should().Be(project.Id.ToString());
        created.Body["data"]!.ToJsonString().Should().Be($$"""{"id":"{{project.Id}}","name":"Evening classes","region":"eu-west"}""");
        created.Body["actor"]!.ToJsonString().Should().Be($$"""{"type":"user","id":"{{school.Owner.UserId}}"}""");
        created.Body["trace_id"]!.GetValue<string>().Should().HaveLength(32);
        created.Body["timestamp"]!.GetValue<string>().Should().EndWith("Z");
        (await api.QueryAsync<string>("SELECT action FROM audit_entries WHERE id = $1", created.Id)).Should().Be("project.created");
    }

    [Fact]
    public async Task Every_change_of_a_school_is_told()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();
        var developer = await school.JoinAsync();
        var member = await api.QueryAsync<Guid>("SELECT id FROM members WHERE account_id = $1", developer.UserId);
        await DoneAsync(school.Owner.PutAsync($"{school.Path}/members/{member}/role", new { role = "Admin" }));
        await DoneAsync(school.Owner.PutAsync($"{school.Path}/members/{member}/role", new { role = "Admin" }));
        await DoneAsync(school.Owner.DeleteAsync($"{school.Path}/members/{member}"));
        var key = await DoneAsync(school.Owner.PostAsync($"{project.Path}/keys", new { name = "Reports", scopes = new[] { "*" } }));
        await DoneAsync(school.Owner.DeleteAsync($"{project.Path}/keys/{key.Body.GetProperty("api_key").GetProperty("id").GetGuid()}"));
        await DoneAsync(school.Owner.PostAsync($"{project.Path}/regenerate-keys", new { }));
        await DoneAsync(school.Owner.PutAsync(project.Path, new { name = "Morning classes" }));
        await DoneAsync(school.Owner.DeleteAsync(project.Path));
        await DoneAsync(school.Owner.PostAsync($"{project.Path}/restore"));
        await DoneAsync(school.Owner.PutAsync(school.Path, new { name = "Morning School" }));
        var revoked = await DoneAsync(school.InviteAsync(Intents.NewAddress()));
        await api.MailSettledAsync(); // Who mails it writes its link.
        await DoneAsync(school.Owner.DeleteAsync($"{school.Path}/invitations/{revoked.Body.GetProperty("invitation").GetProperty("id").GetGuid()}"));
        await DoneAsync(school.Owner.DeleteAsync(school.Path));
        await DoneAsync(school.Owner.PostAsync($"{school.Path}/restore"));

        var types = (await school.EventsAsync(atLeast: 24)).Select(one => one.Type).ToList();

        types.Should().Contain(Vtp.Domain.Events.EventCatalogue.All.Select(kind => kind.Type).Where(type => type.Split('.')[0] is not ("webhook" or "system" or "tracker" or "dashboard")));
        types.Count(type => type == "member.role_changed").Should().Be(1, "the second time nothing changed");
        types.Count(type => type == "api_key.rotated").Should().Be(2);

        static async Task<Answer> DoneAsync(Task<Answer> asked)
        {
            var answer = await asked;
            ((int)answer.Status).Should().BeLessThan(300, answer.Text);
            return answer;
        }
    }

    [Fact]
    public async Task What_was_refused_left_no_event()
    {
        var school = await api.FoundSchoolAsync();
        await school.Owner.PostAsync($"projects?org_id={school.Id}", new { name = "x" });
        (await school.Owner.DeleteAsync($"{school.Path}/members/{school.Owner.UserId}")).Status.Should().Be(HttpStatusCode.Conflict);
        await school.CreateProjectAsync();

        (await school.EventsAsync(atLeast: 5)).Select(one => one.Type).Should().NotContain("member.removed").And.HaveCount(5);
    }

    [Fact]
    public async Task What_is_committed_late_is_behind_what_was_read_before()
    {
        var school = await api.FoundSchoolAsync();
        await school.EventsAsync(atLeast: 2);
        await using var database = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(api.ConnectionString) { Options = "-c vtp.tenants=*" });
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var late = Guid.CreateVersion7();
        await using var insert = new NpgsqlCommand(
            """
            INSERT INTO events (id, type, organization_id, subject, data, actor_type, occurred_at)
            VALUES ($1, 'organization.updated', $2, 'late', '{}', 'system', now())
            """,
            connection);
        insert.Parameters.Add(new() { Value = late });
        insert.Parameters.Add(new() { Value = school.Id });
        await insert.ExecuteNonQueryAsync();

        await school.CreateProjectAsync();
        var before = await school.EventsAsync(atLeast: 5);
        before.Should().HaveCount(5).And.NotContain(one => one.Id == late);
        await transaction.CommitAsync();

        var behind = await school.EventsAsync(atLeast: 1, after: before[^1].Id.ToString());
        behind.Should().ContainSingle().Which.Id.Should().Be(late);
    }

    [Fact]
    public async Task Two_nodes_that_write_at_once_leave_one_order_without_gaps_or_repetitions()
    {
        await using var other = await api.AnotherNodeAsync();
        var school = await api.FoundSchoolAsync();
        var projects = await Task.WhenAll(Enumerable.Range(0, 4).Select(number => school.CreateProjectAsync($"Classes {number}")));

        await Task.WhenAll(projects.SelectMany(project => Enumerable.Range(0, 10).Select(async number =>
            await (number % 2 == 0 ? api : other).SendAsync(HttpMethod.Put, project.Path, new { name = $"Name {number}" }, school.Owner.AccessToken))));

        var updates = (int)await api.QueryAsync<long>("SELECT count(*) FROM events WHERE organization_id = $1", school.Id);
        var events = await school.EventsAsync(updates);
        events.Should().HaveCount(updates).And.OnlyHaveUniqueItems(one => one.Id);
        foreach (var project in projects)
        {
            var last = events.Last(one => one.Type == "project.updated" && one.Body["subject"]!.GetValue<string>() == project.Id.ToString());
            last.Body["data"]!["name"]!.GetValue<string>().Should().Be(await api.QueryAsync<string>("SELECT name FROM projects WHERE id = $1", project.Id));
        }

        await VtpApi.UntilAsync(async () => api.Noted.Seen.Count == await api.QueryAsync<long>("SELECT position FROM event_log"), "the consumer to see all");
        api.Noted.Seen.Select(seen => seen.Position).Should().Equal(Enumerable.Range(1, api.Noted.Seen.Count).Select(position => (long)position));
        api.Noted.Seen.Should().OnlyHaveUniqueItems(seen => seen.Id);
    }

    [Fact]
    public async Task A_consumer_that_fails_holds_up_itself_alone_and_misses_nothing()
    {
        api.Fragile.IsBroken = true;
        var school = await api.FoundSchoolAsync();
        var events = await school.EventsAsync(atLeast: 2);
        await VtpApi.UntilAsync(() => events.All(one => api.Noted.Seen.Any(seen => seen.Id == one.Id)), "the other consumer");
        api.Fragile.Seen.Should().NotContain(seen => seen.Id == events[0].Id);

        api.Fragile.IsBroken = false;

        await VtpApi.UntilAsync(() => events.All(one => api.Fragile.Seen.Any(seen => seen.Id == one.Id)), "the consumer that failed");
        api.Fragile.Seen.Select(seen => seen.Position).Should().BeInAscendingOrder().And.OnlyHaveUniqueItems();
    }

    [Fact]
    public async Task An_event_that_no_partition_is_ready_for_is_kept_all_the_same()
    {
        var school = await api.FoundSchoolAsync();
        await using var database = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(api.ConnectionString) { Options = "-c vtp.tenants=*" });
        await using var insert = database.CreateCommand(
            """
            INSERT INTO events (id, type, organization_id, subject, data, actor_type, occurred_at, recorded_at)
            VALUES (gen_random_uuid(), 'organization.updated', $1, 'far', '{}', 'system', now(), now() + interval '3 years')
            """);
        insert.Parameters.Add(new() { Value = school.Id });
        await insert.ExecuteNonQueryAsync();
        (await school.EventsAsync(atLeast: 3)).Should().Contain(one => one.Body["subject"]!.GetValue<string>() == "far");

        await api.QueryAsync<object>("SELECT vtp_prepare_partitions('events')");
        (await api.QueryAsync<long>("SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass")).Should().BeInRange(6, 7);
        (await api.QueryAsync<long>("SELECT count(*) FROM vtp_partitions_before('events', now() + interval '15 days')")).Should().BeInRange(2, 3);
    }
}
