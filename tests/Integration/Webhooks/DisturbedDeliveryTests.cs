using System.Net;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Webhooks;

/// <summary>Clocks that step, nodes that compete, and owners who change their mind while deliveries wait or are under way.</summary>
public sealed class DisturbedDeliveryTests(WebhookApi api) : IClassFixture<WebhookApi>
{
    private const int Batch = 200;
    private static readonly object Updates = new { event_types = new[] { "project.updated" } };

    [Fact]
    public async Task A_clock_that_steps_back_and_far_ahead_loses_nothing_repeats_nothing_and_disables_nothing()
    {
        await using var own = new WebhookApi();
        await own.InitializeAsync();
        await using var receiver = await HookReceiver.StartAsync();
        receiver.Answer = (_, context) => Task.FromResult(context.Response.StatusCode = 500);
        var hook = await (await own.FoundSchoolAsync()).HookAsync(receiver.Url, more: Updates);

        // So few that the breaker does not open: that would let some wait.
        await hook.TellAsync(3);
        await VtpApi.UntilAsync(async () => await hook.AttemptsAsync() == 3, "the first to fail");

        own.Clock.SetBack(TimeSpan.FromHours(1));
        await hook.TellAsync(1);
        await VtpApi.UntilAsync(async () => await hook.AttemptsAsync() >= 4, "what happens after the step back to be tried at once");
        own.Clock.SetBack(-TimeSpan.FromDays(1));
        await VtpApi.UntilAsync(async () => await hook.AttemptsAsync() >= 8, "all to be tried again after the step ahead");
        (await hook.HealthAsync()).Should().NotBe("disabled");
        (await hook.CountAsync("pending")).Should().Be(4);

        receiver.Answer = (_, _) => Task.CompletedTask;
        await VtpApi.UntilAsync(
            async () =>
            {
                own.Clock.Advance(TimeSpan.FromMinutes(6));
                return await hook.CountAsync("delivered") == 4;
            },
            "all to be delivered");

        (await hook.HealthAsync()).Should().Be("active");
        receiver.Received.Select(received => received.Id).ToHashSet(StringComparer.Ordinal).SetEquals(await hook.ToldAsync()).Should().BeTrue();
        (await hook.AttemptsAsync()).Should().Be(receiver.Received.Count, "each that was sent is one attempt");
        (await own.QueryAsync<bool>("SELECT bool_and(numbers = most) FROM (SELECT count(DISTINCT number) AS numbers, max(number) AS most FROM webhook_attempts WHERE endpoint_id = $1 GROUP BY delivery_id) each", hook.Id))
            .Should().BeTrue("no number is given twice");
    }

    [Fact]
    public async Task Of_five_hundred_events_that_two_nodes_deliver_none_arrives_twice()
    {
        await using var other = await api.AnotherNodeAsync();
        await using var receiver = await HookReceiver.StartAsync();
        var hook = await (await api.FoundSchoolAsync()).HookAsync(receiver.Url, more: Updates);
        for (var part = 0; part < 10; part++)
        {
            await hook.TellAsync(50);
            await (part % 2 == 0 ? api : other).SendAsync(HttpMethod.Post, $"{hook.Path}/test", null, hook.School.Owner.AccessToken);
        }

        await VtpApi.UntilAsync(async () => await hook.CountAsync("delivered") == 510, "all to be delivered");
        receiver.Of("project.updated").Should().HaveCount(500).And.OnlyHaveUniqueItems(received => received.Id);
    }

    [Fact]
    public async Task An_endpoint_that_is_deleted_gets_no_more_than_what_was_under_way()
    {
        var (receiver, release) = await HoldingAsync();
        await using var _ = receiver;
        var hook = await (await api.FoundSchoolAsync()).HookAsync(receiver.Url, more: Updates);
        await hook.TellAsync(3 * Batch);
        await receiver.UntilAsync(1);

        (await hook.School.Owner.DeleteAsync(hook.Path)).Status.Should().Be(HttpStatusCode.NoContent);
        release.SetResult();

        await IdleAsync(hook);
        receiver.Received.Count.Should().BeLessThanOrEqualTo(Batch);
        (await hook.CountAsync("pending")).Should().Be(0);
        (await api.QueryAsync<long>("SELECT count(*) FROM dead_jobs")).Should().Be(0);
    }

    [Fact]
    public async Task What_was_handed_out_while_its_endpoint_was_removed_does_not_stay_behind()
    {
        var (receiver, release) = await HoldingAsync();
        await using var _ = receiver;
        var hook = await (await api.FoundSchoolAsync()).HookAsync(receiver.Url, more: Updates);
        await hook.TellAsync(3 * Batch);
        await receiver.UntilAsync(1);

        // As if its deliveries had been deleted before the log brought these.
        await api.QueryAsync<int>("DELETE FROM webhook_endpoints WHERE id = $1", hook.Id);
        release.SetResult();

        await IdleAsync(hook);
        (await hook.CountAsync("pending")).Should().Be(0);
    }

    [Fact]
    public async Task What_waits_for_an_endpoint_that_is_switched_off_goes_out_when_it_is_on_again_and_what_happens_meanwhile_does_not()
    {
        var (receiver, release) = await HoldingAsync();
        await using var _ = receiver;
        var hook = await (await api.FoundSchoolAsync()).HookAsync(receiver.Url, more: Updates);
        await hook.TellAsync(3 * Batch);
        await receiver.UntilAsync(1);
        await VtpApi.UntilAsync(async () => await hook.CountAsync("pending") == 3 * Batch, "all to wait");

        await hook.SwitchAsync(receiver.Url, isOn: false);
        release.SetResult();
        await IdleAsync(hook);
        receiver.Received.Count.Should().BeLessThanOrEqualTo(Batch);
        (await hook.CountAsync("pending")).Should().Be((3 * Batch) - receiver.Received.Count);
        await hook.TellAsync(10);
        await hook.School.EventsPlacedAsync();

        await hook.SwitchAsync(receiver.Url, isOn: true);
        await VtpApi.UntilAsync(async () => await hook.CountAsync("delivered") == 3 * Batch, "all to be delivered");
        receiver.Received.Should().HaveCount(3 * Batch).And.OnlyHaveUniqueItems(received => received.Id);
        (await hook.CountAsync("pending")).Should().Be(0);
    }

    [Theory]
    [InlineData("project")]
    [InlineData("organization")]
    public async Task What_waits_while_its_project_is_deleted_goes_out_when_it_is_restored(string what)
    {
        var (receiver, release) = await HoldingAsync();
        await using var _ = receiver;
        var hook = await (await api.FoundSchoolAsync()).HookAsync(receiver.Url, more: Updates);
        var path = what == "project" ? hook.Project.Path : hook.School.Path;
        await hook.TellAsync(3 * Batch);
        await receiver.UntilAsync(1);
        await VtpApi.UntilAsync(async () => await hook.CountAsync("pending") == 3 * Batch, "all to wait");

        (await hook.School.Owner.DeleteAsync(path)).Status.Should().Be(HttpStatusCode.OK);
        release.SetResult();
        await IdleAsync(hook);
        receiver.Received.Count.Should().BeLessThanOrEqualTo(Batch);

        (await hook.School.Owner.PostAsync($"{path}/restore")).Status.Should().Be(HttpStatusCode.OK);
        await VtpApi.UntilAsync(async () => await hook.CountAsync("delivered") == 3 * Batch, "all to be delivered");
        receiver.Received.Should().HaveCount(3 * Batch).And.OnlyHaveUniqueItems(received => received.Id);
    }

    [Fact]
    public async Task What_another_node_has_settled_a_node_that_lost_the_endpoint_does_not_take_back()
    {
        var (receiver, release) = await HoldingAsync();
        await using var _ = receiver;
        receiver.Answer = async (_, context) =>
        {
            await release.Task;
            context.Response.StatusCode = 500;
        };
        var hook = await (await api.FoundSchoolAsync()).HookAsync(receiver.Url, more: Updates);
        await hook.TellAsync(1);
        await receiver.UntilAsync(1);
        await api.QueryAsync<int>("UPDATE webhook_deliveries SET state = 'delivered', attempts = 1, next_attempt_at = NULL, settled_at = now() WHERE endpoint_id = $1", hook.Id);

        release.SetResult();

        await IdleAsync(hook);
        (await hook.CountAsync("delivered")).Should().Be(1);
    }

    [Fact]
    public async Task While_the_first_of_a_subject_waits_for_its_next_attempt_nobody_works_for_those_behind_it()
    {
        await using var receiver = await HookReceiver.StartAsync();
        receiver.Answer = (_, context) => Task.FromResult(context.Response.StatusCode = 500);
        var hook = await (await api.FoundSchoolAsync()).HookAsync(receiver.Url, more: new { event_types = new[] { "project.updated" }, ordering = "subject", retry_seconds = new[] { 3600 } });
        await hook.TellAsync(5);
        await VtpApi.UntilAsync(async () => await hook.AttemptsAsync() == 1, "the first to fail");

        await VtpApi.UntilAsync(
            async () => await api.QueryAsync<bool>("SELECT bool_and(state = 'scheduled') FROM jobs WHERE unique_key = $1", hook.Id.ToString()),
            "the endpoint to be left alone until then");
        (await hook.CountAsync("pending")).Should().Be(5);
        (await hook.AttemptsAsync()).Should().Be(1);
    }

    [Fact]
    public async Task What_is_missing_is_not_replayed_before_the_log_has_reached_it()
    {
        await using var receiver = await HookReceiver.StartAsync();
        var hook = await (await api.FoundSchoolAsync()).HookAsync(receiver.Url, more: Updates);
        await hook.TellAsync(20);

        for (var round = 0; await hook.CountAsync("delivered") < 20 && round < 500; round++)
        {
            (await hook.School.Owner.PostAsync($"{hook.Path}/replay", new { from = api.Clock.GetUtcNow() - TimeSpan.FromDays(1), status = "missing" }))
                .Body.GetProperty("queued").GetInt32().Should().Be(0, "each gets its delivery from the log");
        }

        await VtpApi.UntilAsync(async () => await hook.CountAsync("delivered") == 20, "all to be delivered");
        receiver.Received.Should().HaveCount(20);
    }

    /// <summary>Answers nobody until it is released.</summary>
    private static async Task<(HookReceiver Receiver, TaskCompletionSource Release)> HoldingAsync()
    {
        var (receiver, release) = (await HookReceiver.StartAsync(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        receiver.Answer = (_, _) => release.Task;
        return (receiver, release);
    }

    /// <summary>Nobody works for the endpoint, nor is about to.</summary>
    private Task IdleAsync(Hook hook) => VtpApi.UntilAsync(
        async () => await api.QueryAsync<long>("SELECT count(*) FROM jobs WHERE unique_key = $1 AND state <> 'scheduled'", hook.Id.ToString()) == 0,
        "nobody to work for the endpoint");
}
