using Vtp.Application.Operations.Upkeep;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;
using Vtp.Integration.Webhooks;

namespace Vtp.Integration.Events;

/// <summary>What has had its time goes by whole partitions; what is overdue is seen to.</summary>
public sealed class EventUpkeepTests(WebhookApi api) : IClassFixture<WebhookApi>
{
    [Fact]
    public async Task Partitions_that_are_over_are_dropped_and_readers_are_told()
    {
        var school = await api.FoundSchoolAsync();
        await school.EventsAsync(atLeast: 2);
        await MakeOldAsync("events", "events_old");
        await MakeOldAsync("webhook_deliveries", "deliveries_old");
        await api.QueryAsync<int>(
            """
            INSERT INTO events (id, type, organization_id, subject, data, actor_type, occurred_at, recorded_at, position)
            SELECT gen_random_uuid(), 'organization.updated', $1, 'old', '{}', 'system', now(), now() - interval '100 days', 1000000
            """,
            school.Id);

        await api.Service<IUpkeep>().KeepEventPartitionsAsync(CancellationToken.None);
        await api.Service<IUpkeep>().KeepEventPartitionsAsync(CancellationToken.None);

        (await api.QueryAsync<bool>("SELECT to_regclass('events_old') IS NULL AND to_regclass('deliveries_old') IS NULL")).Should().BeTrue();
        (await api.QueryAsync<long>("SELECT dropped FROM event_log")).Should().Be(1000000);
        (await api.QueryAsync<long>("SELECT count(*) FROM events WHERE organization_id = $1", school.Id)).Should().Be(2);
        (await api.QueryAsync<long>("SELECT count(*) FROM pg_inherits WHERE inhparent = 'webhook_attempts'::regclass")).Should().BeGreaterThanOrEqualTo(5);
    }

    [Fact]
    public async Task Deliveries_whose_job_is_lost_are_found_and_sent()
    {
        await using var receiver = await HookReceiver.StartAsync();
        var hook = await (await api.FoundSchoolAsync()).HookAsync(receiver.Url, more: new { event_types = new[] { "project.updated" } });
        await hook.RenameAsync("First");
        await VtpApi.UntilAsync(async () => (await hook.DeliveriesAsync("&status=delivered")).Count == 1, "the first delivery");
        await api.QueryAsync<int>(
            "UPDATE webhook_deliveries SET state = 'pending', next_attempt_at = $2, settled_at = NULL WHERE endpoint_id = $1", hook.Id, api.Clock.GetUtcNow().AddMinutes(-2));

        await api.Service<IUpkeep>().SweepWebhooksAsync(CancellationToken.None);

        await receiver.UntilAsync(2);
        receiver.Received.Select(received => received.Id).Distinct(StringComparer.Ordinal).Should().ContainSingle();
    }

    [Fact]
    public async Task Secrets_that_sign_nothing_more_are_erased()
    {
        var hook = await (await api.FoundSchoolAsync()).HookAsync("https://hooks.school.example/vtp");
        await hook.School.Owner.PostAsync($"{hook.Path}/rotate-secret", new { overlap_hours = 0 });
        (await CountAsync()).Should().Be(2);

        await api.Service<IUpkeep>().SweepWebhooksAsync(CancellationToken.None);

        (await CountAsync()).Should().Be(1);

        Task<long> CountAsync() => api.QueryAsync<long>("SELECT count(*) FROM webhook_secrets WHERE endpoint_id = $1", hook.Id);
    }

    private Task<int> MakeOldAsync(string table, string partition) =>
        api.QueryAsync<int>($"CREATE TABLE {partition} PARTITION OF {table} FOR VALUES FROM (now() - interval '104 days') TO (now() - interval '97 days')");
}
