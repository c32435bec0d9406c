using System.Diagnostics;
using Vtp.Integration.Fixture;
using Vtp.Integration.Startup;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Webhooks;

/// <summary>Servers and databases that die while thousands of events are on their way.</summary>
public sealed class CrashTests(VtpFolder folder) : IClassFixture<VtpFolder>
{
    // What is sent and not yet written down when a server dies: a batch an endpoint.
    private const int Batch = 200;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task After_five_kills_in_the_middle_every_event_has_arrived_at_every_endpoint_and_few_of_them_twice()
    {
        const int Kills = 5;
        const int Events = 10_000;
        await using var receiver = await HookReceiver.StartAsync();
        await using var api = new WebhookApi();
        await api.InitializeAsync();
        var school = await api.FoundSchoolAsync();
        var types = new[] { "project.updated" };
        var hook = await school.HookAsync($"{receiver.Url}/any", more: new { event_types = types });
        var ordered = await school.HookAsync($"{receiver.Url}/ordered", hook.Project, new { event_types = types, ordering = "subject" });
        await api.StopAsync();
        for (var kill = 1; kill <= Kills; kill++)
        {
            await hook.TellAsync(Events / Kills);
            var seen = receiver.Received.Count + Random.Shared.Next(1, Events / Kills); // Now: it may have told all before it has greeted.
            await using var server = await ServeAsync(api.ConnectionString);
            await UntilAsync(() => Task.FromResult(receiver.Received.Count >= seen), $"{seen} deliveries");
            await server.SignalAsync("KILL");
            await server.ExitAsync();

            // The lease of a dead node ends by the clock of the database, which no test moves.
            await api.QueryAsync<int>("UPDATE jobs SET leased_until = now() - interval '1 second' WHERE state = 'running'");
        }

        await using var last = await ServeAsync(api.ConnectionString);
        await UntilAsync(async () => await hook.CountAsync("delivered") + await ordered.CountAsync("delivered") == 2 * Events, "all to be delivered");

        var told = await hook.ToldAsync();
        told.Should().HaveCount(Events);
        foreach (var path in new[] { "/hook/any", "/hook/ordered" })
        {
            var arrived = receiver.Received.Where(received => received.Path == path).ToList();
            arrived.Select(received => received.Id).ToHashSet(StringComparer.Ordinal).SetEquals(told).Should().BeTrue("each arrives, under its own id");
            (arrived.Count - Events).Should().BeLessThanOrEqualTo(Kills * Batch, "what was written down is not sent again");
        }

        receiver.Received.Should().OnlyContain(received => received.Json["id"]!.GetValue<string>() == received.Id);
        var inOrder = receiver.Received.Where(received => received.Path == "/hook/ordered").DistinctBy(received => received.Id, StringComparer.Ordinal);
        foreach (var subject in inOrder.GroupBy(received => received.Json["subject"]!.GetValue<string>(), StringComparer.Ordinal))
        {
            var positions = await PositionsAsync(api, hook, subject.Key);
            subject.Select(received => received.Id).Should().Equal(positions);
        }
    }

    [Fact]
    public async Task When_postgres_stops_and_starts_the_log_and_the_deliveries_go_on()
    {
        const int Events = 3_000;
        await using var receiver = await HookReceiver.StartAsync();
        await using var api = new StoppableApi();
        await api.InitializeAsync();
        var hook = await (await api.FoundSchoolAsync()).HookAsync(receiver.Url, more: new { event_types = new[] { "project.updated" } });
        await hook.TellAsync(Events);
        foreach (var seen in new[] { 300, 1500 })
        {
            await UntilAsync(() => Task.FromResult(receiver.Received.Count >= seen), $"{seen} deliveries");
            await api.StopPostgresAsync();
            await api.StartPostgresAsync();
        }

        await UntilAsync(async () => await hook.CountAsync("delivered") == Events, "all to be delivered");
        await hook.TellAsync(10);
        await UntilAsync(async () => await hook.CountAsync("delivered") == Events + 10, "what happened afterwards to be delivered");

        receiver.Received.Select(received => received.Id).ToHashSet(StringComparer.Ordinal).SetEquals(await hook.ToldAsync()).Should().BeTrue();
        (receiver.Received.Count - Events - 10).Should().BeLessThanOrEqualTo(2 * Batch);
        (await api.QueryAsync<long>("SELECT count(*) FROM dead_jobs")).Should().Be(0);
    }

    private static async Task<List<string>> PositionsAsync(VtpApi api, Hook hook, string subject) =>
        [.. (await api.QueryAsync<string[]>(
            "SELECT array_agg(id::text ORDER BY position) FROM events WHERE project_id = $1 AND type = 'project.updated' AND subject = $2", hook.Project.Id, subject))!];

    private static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        for (var started = Stopwatch.GetTimestamp(); !await condition(); await Task.Delay(20))
        {
            Stopwatch.GetElapsedTime(started).Should().BeLessThan(Patience, what);
        }
    }

    private Task<RealServer> ServeAsync(string database) => RealServer.ServeAsync(
        folder, environment: [("ConnectionStrings__Vtp", database), ("Webhooks__AllowHttp", "true"), ("Webhooks__AllowedNetworks", "127.0.0.0/8")]);
}
