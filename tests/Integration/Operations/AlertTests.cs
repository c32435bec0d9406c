using System.Net;
using System.Text.Json;
using Vtp.Infrastructure.Performance;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;
using Vtp.Integration.Webhooks;

namespace Vtp.Integration.Operations;

/// <summary>A number that leaves its bounds is told once, and once more when it is back.</summary>
public sealed class AlertTests : IAsyncLifetime
{
    private const string Rule = "response_time_p95_ms";

    private readonly AlertApi _api = new();

    public Task InitializeAsync() => _api.InitializeAsync();

    public Task DisposeAsync() => _api.DisposeAsync();

    [Fact]
    public async Task An_alert_is_raised_once_resolved_when_its_number_is_back_and_then_silent_for_a_while()
    {
        var administrator = await _api.RegisterAdministratorAsync();
        await BeSlowAsync(administrator);
        await LookAsync();
        await LookAsync();
        var raised = (await AlertsAsync(administrator, "?open=true")).Should().ContainSingle().Which;
        raised.GetProperty("rule").GetString().Should().Be(Rule);
        raised.GetProperty("value").GetDouble().Should().BeGreaterThan(raised.GetProperty("threshold").GetDouble());
        (await EventsAsync("system.alert_raised")).Should().Be(1);

        _api.Clock.Advance(TimeSpan.FromMinutes(6));
        await LookAsync();
        (await AlertsAsync(administrator, "?open=true")).Should().BeEmpty();
        (await AlertsAsync(administrator, "?open=false")).Single().GetProperty("resolved_at").ValueKind.Should().Be(JsonValueKind.String);
        (await EventsAsync("system.alert_resolved")).Should().Be(1);

        await BeSlowAsync(administrator);
        await LookAsync();
        (await EventsAsync("system.alert_raised")).Should().Be(1, "it ended a moment ago");

        _api.Clock.Advance(TimeSpan.FromMinutes(5));
        await BeSlowAsync(administrator);
        await LookAsync();
        (await EventsAsync("system.alert_raised")).Should().Be(2);
        (await AlertsAsync(administrator)).Should().HaveCount(2);
        (await AlertsAsync(administrator, "?limit=1")).Should().ContainSingle();
    }

    [Fact]
    public async Task Few_requests_say_nothing()
    {
        var administrator = await _api.RegisterAdministratorAsync();

        await LookAsync();

        (await AlertsAsync(administrator)).Should().BeEmpty();
    }

    [Fact]
    public async Task No_school_hears_of_what_is_the_installations()
    {
        var school = await _api.FoundSchoolAsync();
        var hook = await school.HookAsync("https://hooks.school.example/vtp", await school.CreateProjectAsync(), new { event_types = new[] { "*" } });
        await BeSlowAsync(school.Owner);
        await LookAsync();
        (await EventsAsync("system.alert_raised")).Should().Be(1);

        // What is placed after it has been handed to every consumer after it.
        await school.CreateProjectAsync("Later");
        await VtpApi.UntilAsync(
            async () => await _api.QueryAsync<bool>("SELECT position = (SELECT max(position) FROM events) AND NOT EXISTS (SELECT FROM events WHERE position IS NULL) FROM event_consumers WHERE name = 'webhooks'"),
            "all events to be handed on");
        (await _api.QueryAsync<long>("SELECT count(*) FROM webhook_deliveries WHERE event_type LIKE 'system.%'")).Should().Be(0, $"{hook.Id} belongs to a project");
        (await school.Owner.GetAsync("events?limit=100")).Text.Should().Contain("project.created").And.NotContain("system.");
    }

    [Fact]
    public async Task An_alert_of_a_node_that_is_gone_is_resolved_by_any_other()
    {
        await _api.QueryAsync<int>(
            """
            INSERT INTO system_alerts (id, rule, node, threshold, value, raised_at, checked_at)
            SELECT gen_random_uuid(), 'threads', node, 1, 2, now(), now() - age FROM (VALUES ('gone', interval '3 minutes'), ('alive', interval '1 minute')) known (node, age)
            """);

        await LookAsync();

        (await _api.QueryAsync<string>("SELECT node FROM system_alerts WHERE resolved_at IS NOT NULL")).Should().Be("gone");
        (await _api.QueryAsync<string>("SELECT node FROM system_alerts WHERE resolved_at IS NULL")).Should().Be("alive");
    }

    [Fact]
    public async Task Each_look_adds_a_point_to_the_history()
    {
        var administrator = await _api.RegisterAdministratorAsync();
        await LookAsync();
        await BeSlowAsync(administrator);
        await LookAsync();

        var points = (await administrator.GetAsync("/api/performance/history")).Body.GetProperty("data").EnumerateArray().ToList();

        points.Should().HaveCountGreaterThanOrEqualTo(2);
        points.Sum(point => point.GetProperty("requests").GetInt64()).Should().BeGreaterThanOrEqualTo(20);
        points[^1].GetProperty("heap_bytes").GetInt64().Should().BePositive();
        points[^1].GetProperty("cache_hit_rate").ValueKind.Should().BeOneOf(JsonValueKind.Null, JsonValueKind.Number);
    }

    private Task LookAsync() => _api.Service<PerformanceWatch>().LookAsync(CancellationToken.None);

    private static async Task BeSlowAsync(Person person)
    {
        for (var count = 0; count < 25; count++)
        {
            (await person.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.OK);
        }
    }

    private static async Task<List<JsonElement>> AlertsAsync(Person administrator, string query = "") =>
        [.. (await (await administrator.SignInAgainAsync()).GetAsync($"/api/performance/alerts{query}")).Body.GetProperty("data").EnumerateArray()];

    private Task<long> EventsAsync(string type) => _api.QueryAsync<long>("SELECT count(*) FROM events WHERE type = $1", type);

    /// <summary>Any request is too slow for it, and nothing else wrong.</summary>
    private sealed class AlertApi : VtpApi
    {
        protected override IEnumerable<KeyValuePair<string, string>> Settings =>
            [new($"Performance:Alerts:{Rule}", "0.0001"), new("Performance:Alerts:heap_mb", "0"), new("Performance:Alerts:memory_load", "0"), new("Performance:Alerts:cache_hit_rate", "0")];
    }
}
