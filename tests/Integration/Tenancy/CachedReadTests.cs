using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tenancy;

public sealed class CachedReadTests(TalkativeApi api) : IClassFixture<TalkativeApi>
{
    [Fact]
    public async Task A_project_that_is_read_again_costs_no_query_of_projects()
    {
        var project = await (await api.FoundSchoolAsync()).CreateProjectAsync();
        await ReadAsync(project);
        var before = Queries();

        for (var turn = 0; turn < 5; turn++)
        {
            await ReadAsync(project);
        }

        Queries().Should().Be(before);

        int Queries() => api.Log.Count(line => line.Contains("FROM projects AS", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Whatever_changes_a_project_shows_in_what_is_kept_of_it()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();
        var webhook = "";
        (string What, Func<Task<Answer>> Do)[] changes =
        [
            ("a name", () => school.Owner.PutAsync(project.Path, new { name = "Another name" })),
            ("a webhook", () => school.Owner.PutAsync(project.Path, new { webhook_url = "https://hooks.example/a" })),
            ("a webhook that moves", async () => await school.Owner.PutAsync($"{project.Path}/webhooks/{webhook = await WebhookAsync()}", new { url = "https://hooks.example/b" })),
            ("a webhook that goes", () => school.Owner.DeleteAsync($"{project.Path}/webhooks/{webhook}")),
            ("a new pair of keys", () => school.Owner.PostAsync($"{project.Path}/regenerate-keys")),
            ("one new key", async () => await school.Owner.PostAsync($"{project.Path}/keys/{await PublishableAsync()}/rotate")),
        ];
        foreach (var (what, change) in changes)
        {
            var (one, list) = (await OneAsync(), await ListAsync());
            var answer = await change();
            ((int)answer.Status).Should().BeInRange(200, 299, "{0}: {1}", what, answer.Text);

            (await OneAsync()).Should().NotBe(one, what);
            (await ListAsync()).Should().NotBe(list, what);
        }

        (await school.Owner.DeleteAsync(project.Path)).Status.Should().Be(HttpStatusCode.OK);
        (await school.Owner.GetAsync(project.Path)).Status.Should().Be(HttpStatusCode.NotFound);
        (await ListAsync()).Should().NotContain(project.Id.ToString());
        (await school.Owner.PostAsync($"{project.Path}/restore")).Status.Should().Be(HttpStatusCode.OK);
        (await OneAsync()).Should().Contain("Another name");
        (await ListAsync()).Should().Contain(project.Id.ToString());
        var second = await school.CreateProjectAsync("Morning classes");
        (await ListAsync()).Should().Contain(second.Id.ToString());

        async Task<string> OneAsync() => (await school.Owner.GetAsync(project.Path)).Text;

        async Task<string> ListAsync() => (await school.Owner.GetAsync($"projects?org_id={school.Id}")).Text;

        async Task<string> WebhookAsync() => (string)(await school.Owner.GetAsync($"{project.Path}/webhooks")).Data()[0]!["id"]!;

        async Task<string> PublishableAsync()
        {
            var preview = (await school.Owner.GetAsync(project.Path))["pulse_api_key"];
            return (string)(await school.Owner.GetAsync($"{project.Path}/keys")).Data().First(key => (string?)key!["preview"] == preview)!["id"]!;
        }
    }

    [Fact]
    public async Task An_organization_shows_each_who_reads_it_their_own_role_and_every_change()
    {
        var school = await api.FoundSchoolAsync();
        var (viewer, developer) = (await school.JoinAsync("Viewer"), await school.JoinAsync("Developer"));
        for (var turn = 0; turn < 2; turn++)
        {
            (await RoleAsync(school.Owner)).Should().BeEquivalentTo("owner");
            (await RoleAsync(viewer)).Should().BeEquivalentTo("viewer");
            (await RoleAsync(developer)).Should().BeEquivalentTo("developer");
        }

        (await school.Owner.PutAsync(school.Path, new { name = "Night School" })).Status.Should().Be(HttpStatusCode.OK);
        (await viewer.GetAsync(school.Path))["name"].Should().Be("Night School");
        (await developer.GetAsync(school.Path))["name"].Should().Be("Night School");

        async Task<string> RoleAsync(Person person) => (await person.GetAsync(school.Path))["role"];
    }

    [Fact]
    public async Task What_is_kept_for_those_who_belong_does_not_exist_for_those_who_do_not()
    {
        var (school, other) = (await api.FoundSchoolAsync(), await api.FoundSchoolAsync());
        var (project, elsewhere) = (await school.CreateProjectAsync(), await other.CreateProjectAsync());
        await ReadAsync(project);
        (await school.Owner.GetAsync(project.Path)).Status.Should().Be(HttpStatusCode.OK);
        (await school.Owner.GetAsync(school.Path)).Status.Should().Be(HttpStatusCode.OK);

        (await other.Owner.GetAsync(project.Path)).Status.Should().Be(HttpStatusCode.NotFound);
        (await other.Owner.GetAsync(school.Path)).Status.Should().Be(HttpStatusCode.NotFound);
        (await api.GetWithKeyAsync(project.Path, elsewhere.Secret)).Status.Should().Be(HttpStatusCode.NotFound);
        (await api.GetAsync(project.Path)).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await school.JoinAsync("Viewer")).Should().NotBeNull();
    }

    [Fact]
    public async Task Who_is_removed_reads_nothing_that_is_kept()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();
        var person = await api.RegisterAsync();
        var member = await school.AddMemberAsync(person, "Viewer");
        (await person.GetAsync(project.Path)).Status.Should().Be(HttpStatusCode.OK);
        (await person.GetAsync(school.Path)).Status.Should().Be(HttpStatusCode.OK);

        (await school.Owner.DeleteAsync($"{school.Path}/members/{member}")).Status.Should().Be(HttpStatusCode.OK);

        (await person.GetAsync(project.Path)).Status.Should().Be(HttpStatusCode.NotFound);
        (await person.GetAsync(school.Path)).Status.Should().Be(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_key_lists_its_own_project_only_also_when_the_whole_list_is_kept()
    {
        var school = await api.FoundSchoolAsync();
        var (one, other) = (await school.CreateProjectAsync("One project"), await school.CreateProjectAsync("Other project"));
        (await school.Owner.GetAsync($"projects?org_id={school.Id}")).Data().Should().HaveCount(2);

        foreach (var project in new[] { one, other })
        {
            var listed = (await api.GetWithKeyAsync("projects", project.Secret)).Data();
            listed.Should().ContainSingle().Which!["id"]!.GetValue<Guid>().Should().Be(project.Id);
        }
    }

    [Fact]
    public async Task Administrators_see_empty_and_fill_the_cache_and_nobody_else_does()
    {
        var administrator = await api.RegisterAdministratorAsync();
        var project = await (await api.FoundSchoolAsync()).CreateProjectAsync();
        await ReadAsync(project);
        await ReadAsync(project);
        var statistics = (await administrator.GetAsync("admin/cache/stats")).Body;
        statistics.GetProperty("hits").GetInt64().Should().BePositive();
        statistics.GetProperty("hit_rate").GetDouble().Should().BeInRange(0.1, 100);
        statistics.GetProperty("hears").GetBoolean().Should().BeTrue();
        statistics.GetProperty("redis").ValueKind.Should().Be(System.Text.Json.JsonValueKind.Null);
        statistics.GetProperty("prefixes").EnumerateArray().First(one => one.GetProperty("prefix").GetString() == "project")
            .GetProperty("entries").GetInt64().Should().BePositive();

        // Behind the server's back, so that only the cache can tell.
        foreach (var body in new object[] { new { prefix = "project" }, new { tag = "*" }, new { prefix = $"project:{await OrganizationAsync()}:" } })
        {
            var name = $"Name {Guid.NewGuid():N}";
            await ReadAsync(project);
            await api.QueryAsync<int>("UPDATE projects SET name = $1 WHERE id = $2", name, project.Id);
            (await ReadAsync(project)).Should().NotBe(name);
            (await administrator.PostAsync("admin/cache/invalidate", body)).Status.Should().Be(HttpStatusCode.NoContent);
            (await ReadAsync(project)).Should().Be(name);
        }

        foreach (var body in new object[] { new { }, new { key = "a", tag = "b" }, new { key = new string('x', 251) } })
        {
            (await administrator.PostAsync("admin/cache/invalidate", body)).Status.Should().Be(HttpStatusCode.BadRequest);
        }

        var queued = await administrator.PostAsync("admin/cache/warm");
        (queued.Status, queued["job"]).Should().Be((HttpStatusCode.Accepted, "cache.warm"));
        (await administrator.DeleteAsync("admin/cache/lifetimes")).Status.Should().Be(HttpStatusCode.NoContent);
        (await api.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE action = 'cache.invalidated' AND outcome = 'succeeded' AND actor_id = $1", administrator.UserId)).Should().Be(3);
        (await api.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE action = 'cache.warmed' AND actor_id = $1", administrator.UserId)).Should().Be(1);

        var person = await api.RegisterAsync();
        (await person.GetAsync("admin/cache/stats")).ShouldBeProblem(HttpStatusCode.Forbidden, "auth.forbidden");
        (await person.PostAsync("admin/cache/invalidate", new { tag = "*" })).ShouldBeProblem(HttpStatusCode.Forbidden, "auth.forbidden");
        (await person.PostAsync("admin/cache/warm")).ShouldBeProblem(HttpStatusCode.Forbidden, "auth.forbidden");
        (await person.DeleteAsync("admin/cache/lifetimes")).ShouldBeProblem(HttpStatusCode.Forbidden, "auth.forbidden");

        async Task<Guid> OrganizationAsync() => await api.QueryAsync<Guid>("SELECT organization_id FROM projects WHERE id = $1", project.Id);
    }

    [Fact]
    public async Task A_node_that_starts_has_at_hand_what_was_asked_for_last()
    {
        var project = await (await api.FoundSchoolAsync()).CreateProjectAsync();
        await ReadAsync(project);
        await api.QueryAsync<int>("UPDATE api_keys SET last_used_at = now() WHERE project_id = $1", project.Id);

        await using var other = await SecondNode.BesideAsync(api, ("Logging:LogLevel:Vtp", "Debug"));

        await VtpApi.UntilAsync(() => other.Log.Any(line => line.Contains("projects are at hand", StringComparison.Ordinal)), "it to read ahead");
        var counts = other.Service<Vtp.Infrastructure.Caching.CacheCounts>().Of("project");
        counts.Misses.Should().BePositive();

        // All forget, and one of them runs the job for both.
        var administrator = await api.RegisterAdministratorAsync();
        (await administrator.PostAsync("admin/cache/invalidate", new { tag = "*" })).Status.Should().Be(HttpStatusCode.NoContent);
        await VtpApi.UntilAsync(async () => await ColdAsync(api) > 0 && await ColdAsync(other) > 0, "both to forget");
        (await administrator.PostAsync("admin/cache/warm")).Status.Should().Be(HttpStatusCode.Accepted);
        await VtpApi.UntilAsync(async () => await ColdAsync(api) == 0 && await ColdAsync(other) == 0, "both to be warm");
        (await api.QueryAsync<long>("SELECT count(*) FROM jobs WHERE kind = 'cache.warm'")).Should().Be(0);

        static async Task<int> ColdAsync(VtpApi node) => (await node.Service<Vtp.Application.Operations.Cache.CacheWarming>().LookAsync(CancellationToken.None)).Cold;
    }

    private async Task<string> ReadAsync(SchoolProject project)
    {
        var answer = await api.GetWithKeyAsync(project.Path, project.Secret);
        answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
        return answer["name"];
    }
}
