using System.Net;
using System.Text.Json.Nodes;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Webhooks;

/// <summary>What happened is told to whoever asked for it, signed, under one id, until it is accepted.</summary>
public sealed class DeliveryTests(WebhookApi api) : IClassFixture<WebhookApi>
{
    [Fact]
    public async Task An_event_arrives_signed_and_is_the_one_that_the_log_tells()
    {
        await using var receiver = await HookReceiver.StartAsync();
        var hook = await (await api.FoundSchoolAsync()).HookAsync(receiver.Url, more: new { event_types = new[] { "project.updated" }, signs_body = true });

        await hook.RenameAsync("Morning classes");

        await receiver.UntilAsync(1);
        var received = receiver.Received.Single();
        received.IsSignedWith(hook.Secret).Should().BeTrue();
        received.Headers["X-Webhook-Signature"].Should().StartWith("sha256=").And.HaveLength("sha256=".Length + 64);
        received.Headers["Content-Type"].Should().StartWith("application/json");
        var told = await hook.School.Owner.GetAsync($"events/{received.Id}");
        told.Status.Should().Be(HttpStatusCode.OK);
        var (sent, logged) = (received.Json, JsonNode.Parse(told.Text)!);
        DateTimeOffset.Parse(sent["timestamp"]!.GetValue<string>(), null).Should().Be(DateTimeOffset.Parse(logged["timestamp"]!.GetValue<string>(), null));
        (sent["timestamp"], logged["timestamp"]) = (null, null);
        JsonNode.DeepEquals(sent, logged).Should().BeTrue($"{sent} should be {logged}");

        var delivery = await UntilDeliveryAsync(hook, "delivered");
        var details = JsonNode.Parse((await hook.School.Owner.GetAsync($"webhooks/logs/{delivery["id"]}")).Text)!;
        var attempt = details["log"]!.AsArray().Should().ContainSingle().Subject!;
        attempt["status"]!.GetValue<int>().Should().Be(204);
        attempt["outcome"]!.GetValue<string>().Should().Be("answered");
        attempt["request_body"]!.GetValue<string>().Should().Be(received.Body);
        attempt["request_headers"]!["webhook-signature"]!.GetValue<string>().Should().Be(received.Headers["webhook-signature"]);
    }

    [Fact]
    public async Task Thin_payloads_name_the_thing_and_no_more()
    {
        await using var receiver = await HookReceiver.StartAsync();
        var hook = await (await api.FoundSchoolAsync()).HookAsync(receiver.Url, more: new { event_types = new[] { "project.*" }, payload = "thin" });

        await hook.RenameAsync("Secret name");

        await receiver.UntilAsync(1);
        receiver.Received.Single().Json["data"]!.ToJsonString().Should().Be($$"""{"id":"{{hook.Project.Id}}"}""");
        receiver.Received.Single().Body.Should().NotContain("Secret name");
    }

    [Fact]
    public async Task Endpoints_get_what_they_chose_of_their_own_project()
    {
        await using var receiver = await HookReceiver.StartAsync();
        var school = await api.FoundSchoolAsync();
        var ours = await school.HookAsync($"{receiver.Url}/all");
        await school.HookAsync($"{receiver.Url}/keys", ours.Project, new { event_types = new[] { "api_key.*" } });
        await school.HookAsync($"{receiver.Url}/sibling", more: new { event_types = new[] { "project.updated" } });

        await ours.RenameAsync("Once");
        await school.Owner.PostAsync($"{ours.Project.Path}/keys", new { name = "Reports", scopes = new[] { "*" } });

        await VtpApi.UntilAsync(() => receiver.Received.Count(hook => hook.Type == "api_key.created") == 2, "both endpoints to hear of the key");
        receiver.Of("project.updated").Should().ContainSingle().Which.Path.Should().Be("/hook/all");
        receiver.Received.Should().NotContain(hook => hook.Path == "/hook/sibling").And.NotContain(hook => hook.Type.StartsWith("organization", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_fails_is_tried_again_under_its_id_with_a_fresh_time_and_in_the_end_is_given_up()
    {
        await using var receiver = await HookReceiver.StartAsync();
        receiver.Answer = (_, context) => Task.FromResult(context.Response.StatusCode = 500);
        var hook = await (await api.FoundSchoolAsync()).HookAsync(receiver.Url, more: new { event_types = new[] { "project.updated" }, retry_seconds = new[] { 60, 120 } });
        await hook.RenameAsync("Unlucky");

        for (var attempt = 1; attempt <= 3; attempt++)
        {
            await receiver.UntilAsync(attempt);
            if (attempt < 3)
            {
                await UntilDeliveryAsync(hook, "retrying", attempt);
                api.Clock.Advance(TimeSpan.FromSeconds(70 * attempt));
            }
        }

        var delivery = await UntilDeliveryAsync(hook, "failed");
        delivery["attempts"]!.GetValue<int>().Should().Be(3);
        delivery["response_status"]!.GetValue<int>().Should().Be(500);
        receiver.Received.Select(received => received.Id).Distinct(StringComparer.Ordinal).Should().ContainSingle();
        receiver.Received.Select(received => received.Headers["webhook-timestamp"]).Should().OnlyHaveUniqueItems();
        receiver.Received.Should().OnlyContain(received => received.IsSignedWith(hook.Secret));

        receiver.Answer = (_, _) => Task.CompletedTask;
        (await hook.School.Owner.PostAsync($"webhooks/logs/{delivery["id"]}/retry")).Status.Should().Be(HttpStatusCode.OK);
        (await UntilDeliveryAsync(hook, "delivered"))["attempts"]!.GetValue<int>().Should().Be(4);
        receiver.Received.Select(received => received.Id).Distinct(StringComparer.Ordinal).Should().ContainSingle();
    }

    [Fact]
    public async Task Retry_After_is_waited_for()
    {
        await using var receiver = await HookReceiver.StartAsync();
        receiver.Answer = (_, context) =>
        {
            (context.Response.StatusCode, context.Response.Headers.RetryAfter) = (429, "600");
            return Task.CompletedTask;
        };
        var hook = await (await api.FoundSchoolAsync()).HookAsync(receiver.Url, more: new { event_types = new[] { "project.updated" } });
        await hook.RenameAsync("Busy");

        var delivery = await UntilDeliveryAsync(hook, "retrying");
        (delivery["next_retry_at"]!.GetValue<DateTimeOffset>() - delivery["last_attempt_at"]!.GetValue<DateTimeOffset>()).Should().BeGreaterThanOrEqualTo(TimeSpan.FromSeconds(600));
    }

    [Fact]
    public async Task An_endpoint_that_is_gone_is_disabled_at_once_and_its_owners_are_told()
    {
        await using var receiver = await HookReceiver.StartAsync();
        receiver.Answer = (_, context) => Task.FromResult(context.Response.StatusCode = 410);
        var school = await api.FoundSchoolAsync();
        var address = await api.QueryAsync<string>("SELECT admin_email FROM organizations WHERE id = $1", school.Id);
        var hook = await school.HookAsync(receiver.Url, more: new { event_types = new[] { "project.updated" } });
        await hook.RenameAsync("Gone");

        await VtpApi.UntilAsync(async () => (await hook.ViewAsync())["status"]!.GetValue<string>() == "disabled", "the endpoint to be disabled");
        (await hook.ViewAsync())["disabled_reason"]!.GetValue<string>().Should().Be("gone");
        (await api.MailToAsync(address!, "was disabled")).Should().Contain(receiver.Url);
        (await school.Owner.PostAsync($"{hook.Path}/test"))["error"].Should().Be("webhook.not_sent_to");
        await hook.RenameAsync("While disabled");

        receiver.Answer = (_, _) => Task.CompletedTask;
        (await school.Owner.PostAsync($"{hook.Path}/enable")).Status.Should().Be(HttpStatusCode.OK);
        var replayed = await school.Owner.PostAsync($"{hook.Path}/replay", new { from = api.Clock.GetUtcNow() - TimeSpan.FromDays(1), status = "all" });
        replayed.Body.GetProperty("queued").GetInt32().Should().Be(2);
        await VtpApi.UntilAsync(async () => (await hook.DeliveriesAsync("&status=delivered")).Count == 2, "both to be delivered");
        receiver.Received.Select(received => received.Json["data"]!["name"]!.GetValue<string>()).Should().Contain(["Gone", "While disabled"]);
    }

    [Fact]
    public async Task An_endpoint_that_only_fails_is_paused_long_before_its_events_are_given_up()
    {
        await using var receiver = await HookReceiver.StartAsync();
        receiver.Answer = (_, context) => Task.FromResult(context.Response.StatusCode = 503);
        var hook = await (await api.FoundSchoolAsync()).HookAsync(receiver.Url, more: new { event_types = new[] { "project.updated" } });
        for (var number = 0; number < 15; number++)
        {
            await hook.RenameAsync($"Name {number}");
        }

        await VtpApi.UntilAsync(async () => (await hook.ViewAsync())["status"]!.GetValue<string>() == "paused", "the endpoint to be paused");
        await VtpApi.UntilAsync(async () => (await hook.ViewAsync())["pending"]!.GetValue<int>() == 15, "all to wait");
        receiver.Received.Count.Should().BeInRange(10, 20);
        receiver.Answer = (_, _) => Task.CompletedTask;

        // Behind the cool-down, and the second attempt of each.
        api.Clock.Advance(TimeSpan.FromMinutes(1));

        await VtpApi.UntilAsync(async () => (await hook.DeliveriesAsync("&status=delivered")).Count == 15, "all to be delivered");
        (await hook.ViewAsync())["status"]!.GetValue<string>().Should().Be("active");
    }

    [Fact]
    public async Task A_test_reaches_the_endpoint_that_is_tested_alone_whatever_it_chose()
    {
        await using var receiver = await HookReceiver.StartAsync();
        var school = await api.FoundSchoolAsync();
        var hook = await school.HookAsync($"{receiver.Url}/tested", more: new { event_types = new[] { "project.deleted" } });
        await school.HookAsync($"{receiver.Url}/other", hook.Project);

        (await school.Owner.PostAsync($"{hook.Path}/test")).Status.Should().Be(HttpStatusCode.OK);

        await receiver.UntilAsync(1, "webhook.test");
        receiver.Of("webhook.test").Should().ContainSingle().Which.Path.Should().Be("/hook/tested");
    }

    [Fact]
    public async Task While_two_secrets_overlap_both_sign_and_at_the_end_the_new_one_alone()
    {
        await using var receiver = await HookReceiver.StartAsync();
        var hook = await (await api.FoundSchoolAsync()).HookAsync(receiver.Url, more: new { event_types = new[] { "project.updated" } });
        var rotated = await hook.School.Owner.PostAsync($"{hook.Path}/rotate-secret", new { overlap_hours = 1 });
        var newest = rotated["secret"];
        (await api.QueryAsync<long>("SELECT count(*) FROM webhook_secrets WHERE position(convert_to($1, 'UTF8') IN secret) > 0", newest)).Should().Be(0, "secrets are encrypted at rest");

        await hook.RenameAsync("During");
        await receiver.UntilAsync(1);
        receiver.Received.Single().Should().Match<ReceivedHook>(received => received.IsSignedWith(hook.Secret) && received.IsSignedWith(newest));

        api.Clock.Advance(TimeSpan.FromHours(1));
        await hook.RenameAsync("After");
        await receiver.UntilAsync(2);
        receiver.Received.Last().Should().Match<ReceivedHook>(received => !received.IsSignedWith(hook.Secret) && received.IsSignedWith(newest));
    }

    [Fact]
    public async Task In_order_what_happens_to_one_thing_waits_for_what_happened_before_and_nothing_else_does()
    {
        await using var receiver = await HookReceiver.StartAsync();
        var isBroken = true;
        receiver.Answer = (received, context) => Task.FromResult(
            context.Response.StatusCode = isBroken && received.Type == "project.updated" ? 500 : 204);
        var hook = await (await api.FoundSchoolAsync()).HookAsync(receiver.Url, more: new { ordering = "subject" });
        await hook.RenameAsync("First");
        await UntilDeliveryAsync(hook, "retrying");
        await hook.RenameAsync("Second");
        await hook.School.Owner.PostAsync($"{hook.Project.Path}/keys", new { name = "Reports", scopes = new[] { "*" } });

        await receiver.UntilAsync(1, "api_key.created");
        receiver.Of("project.updated").Should().OnlyContain(received => received.Json["data"]!["name"]!.GetValue<string>() == "First");
        isBroken = false;
        api.Clock.Advance(TimeSpan.FromSeconds(10));

        await VtpApi.UntilAsync(() => receiver.Of("project.updated").Any(received => received.Json["data"]!["name"]!.GetValue<string>() == "Second"), "the second");
        receiver.Of("project.updated").Select(received => received.Json["data"]!["name"]!.GetValue<string>()).Distinct(StringComparer.Ordinal).Should().Equal("First", "Second");
    }

    private static async Task<JsonNode> UntilDeliveryAsync(Hook hook, string status, int attempts = 1)
    {
        JsonNode? found = null;
        await VtpApi.UntilAsync(
            async () => (found = (await hook.DeliveriesAsync($"&status={status}")).FirstOrDefault(one => one["attempts"]!.GetValue<int>() >= attempts)) is not null,
            $"a delivery that is {status}");
        return found!;
    }
}
