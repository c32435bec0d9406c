using System.Diagnostics;
using System.Net;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Events;

/// <summary>The log over HTTP: filters, cursors, waiting, and who sees what.</summary>
public sealed class ReadEventsTests(EventApi api) : IClassFixture<EventApi>
{
    [Theory]
    [InlineData("project.created", 1)]
    [InlineData("project.*", 1)]
    [InlineData("project.created, member.*", 2)]
    [InlineData("*", 5)]
    [InlineData("project.deleted", 0)]
    public async Task Types_choose(string types, int count)
    {
        var school = await api.FoundSchoolAsync();
        await school.CreateProjectAsync();
        await school.EventsAsync(atLeast: 5);

        (await school.EventsAsync(atLeast: count, types: Uri.EscapeDataString(types))).Should().HaveCount(count);
    }

    [Theory]
    [InlineData("types=nothing.such", "types")]
    [InlineData("types=nothing.*", "types")]
    [InlineData("after=garbage", "after")]
    [InlineData("after=__________8", "after")]
    [InlineData("after=0199aaaa-0000-7000-8000-000000000000", "after")]
    public async Task What_means_nothing_is_refused_by_name(string query, string field)
    {
        var school = await api.FoundSchoolAsync();
        var answer = await school.Owner.GetAsync($"events?org_id={school.Id}&{query}");
        answer.Status.Should().Be(HttpStatusCode.BadRequest, answer.Text);
        answer.Body.GetProperty("errors").TryGetProperty(field, out _).Should().BeTrue(answer.Text);
    }

    [Fact]
    public async Task A_key_sees_its_own_project_alone()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();
        var sibling = await school.CreateProjectAsync("Another");
        var all = await school.EventsAsync(atLeast: 8);

        var own = await api.GetWithKeyAsync("events?limit=100", project.Key);
        own.Data().Select(one => one!["type"]!.GetValue<string>()).Should().Equal("project.created", "api_key.created", "api_key.created");
        own.Data().Should().OnlyContain(one => one!["project_id"]!.GetValue<Guid>() == project.Id);
        var others = all.Single(one => one.Type == "project.created" && one.Body["project_id"]!.GetValue<Guid>() == sibling.Id);
        (await api.GetWithKeyAsync($"events/{others.Id}", project.Key)).Status.Should().Be(HttpStatusCode.NotFound);
        (await api.GetWithKeyAsync($"events/{others.Id}", sibling.Key)).Body.GetProperty("id").GetGuid().Should().Be(others.Id);
        (await api.GetWithKeyAsync($"events?after={others.Id}", project.Key)).Status.Should().Be(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Nobody_reads_another_schools_log()
    {
        var (ours, theirs) = (await api.FoundSchoolAsync(), await api.FoundSchoolAsync());
        var their = (await theirs.EventsAsync(atLeast: 2))[0];

        (await ours.Owner.GetAsync($"events/{their.Id}")).Status.Should().Be(HttpStatusCode.NotFound);
        (await ours.Owner.GetAsync($"events?org_id={theirs.Id}")).Status.Should().Be(HttpStatusCode.NotFound);
        (await ours.Owner.GetAsync("events?limit=100")).Data().Should().OnlyContain(one => one!["organization_id"]!.GetValue<Guid>() == ours.Id);
        (await ours.Owner.GetAsync($"events?project_id={Guid.NewGuid()}")).Data().Should().BeEmpty();
    }

    [Fact]
    public async Task A_cursor_behind_which_events_are_gone_says_so()
    {
        await using var alone = new EventApi();
        await alone.InitializeAsync();
        var school = await alone.FoundSchoolAsync();
        var first = (await school.EventsAsync(atLeast: 2))[0];
        await alone.QueryAsync<int>("UPDATE event_log SET dropped = 2");

        var answer = await school.Owner.GetAsync($"events?after={first.Id}");
        answer.Status.Should().Be(HttpStatusCode.Gone, answer.Text);
        answer["error"].Should().Be("event.cursor_expired");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_waits_is_told_as_soon_as_it_happens_on_whichever_node(bool isSameNode)
    {
        await using var other = await api.AnotherNodeAsync();
        var school = await api.FoundSchoolAsync();
        var last = (await school.EventsAsync(atLeast: 2))[^1];
        var started = Stopwatch.GetTimestamp();
        var waiting = (isSameNode ? api : other).SendAsync(HttpMethod.Get, $"events?org_id={school.Id}&after={last.Id}&wait=30", null, school.Owner.AccessToken);

        await school.CreateProjectAsync();

        var answer = await waiting;
        answer.Data().Select(one => one!["type"]!.GetValue<string>()).Should().Contain("project.created");
        Stopwatch.GetElapsedTime(started).Should().BeLessThan(TimeSpan.FromSeconds(15), "it was told, not found at the end");
    }

    [Fact]
    public async Task Who_waits_in_vain_gets_an_empty_answer_and_a_cursor_to_go_on_with()
    {
        var school = await api.FoundSchoolAsync();
        var last = (await school.EventsAsync(atLeast: 2))[^1];

        var answer = await school.Owner.GetAsync($"events?org_id={school.Id}&after={last.Id}&wait=1");

        answer.Data().Should().BeEmpty();
        await school.CreateProjectAsync();
        await school.EventsAsync(atLeast: 5);
        (await school.Owner.GetAsync($"events?org_id={school.Id}&after={answer["next_cursor"]}")).Data().Should().HaveCount(3);
    }

    [Fact]
    public async Task A_key_that_is_revoked_while_it_waits_hears_nothing_more()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();
        await school.EventsAsync(atLeast: 5);
        var cursor = (await api.GetWithKeyAsync("events?limit=100", project.Key))["next_cursor"];
        var keys = await school.Owner.GetAsync($"{project.Path}/keys?limit=100");
        var publishable = keys.Data().Single(key => key!["kind"]!.GetValue<string>() == "publishable")!["id"]!.GetValue<Guid>();
        var waiting = api.GetWithKeyAsync($"events?after={cursor}&wait=30", project.Key);

        await school.Owner.DeleteAsync($"{project.Path}/keys/{publishable}");

        (await waiting).Status.Should().Be(HttpStatusCode.Unauthorized);
    }
}
