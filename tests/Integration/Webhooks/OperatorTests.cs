using System.Net;
using System.Text.Json.Nodes;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Webhooks;

/// <summary>Who runs the installation sees every endpoint and how it does, and nothing of what is sent.</summary>
public sealed class OperatorTests(WebhookApi api) : IClassFixture<WebhookApi>
{
    [Fact]
    public async Task Endpoints_of_all_organizations_are_listed_with_how_they_do()
    {
        await using var receiver = await HookReceiver.StartAsync();
        receiver.Answer = (hook, context) => Task.FromResult(hook.Path.EndsWith("bad", StringComparison.Ordinal) ? context.Response.StatusCode = 500 : 204);
        var name = $"Über {Guid.NewGuid():N}";
        var (administrator, types) = (await api.RegisterAdministratorAsync(), new { event_types = new[] { "project.updated" }, retry_seconds = new[] { 3600 } });
        var one = await api.FoundSchoolAsync();
        var good = await one.HookAsync($"{receiver.Url}/good", await one.CreateProjectAsync(name), types);
        var two = await api.FoundSchoolAsync();
        var bad = await two.HookAsync($"{receiver.Url}/bad", await two.CreateProjectAsync(name), types);
        await good.RenameAsync(name);
        await bad.RenameAsync(name);
        await VtpApi.UntilAsync(async () => (await OfAsync(good))["last_attempt_at"] is not null && (await OfAsync(bad))["last_error"] is not null, "an attempt of each");

        var listed = (await administrator.GetAsync($"admin/webhooks?search={Uri.EscapeDataString(name.Replace("Ü", "u", StringComparison.Ordinal))}")).Data();

        listed.Select(row => row!["id"]!.GetValue<Guid>()).Should().Equal(bad.Id, good.Id);
        listed.Select(row => row!["organization_id"]!.GetValue<Guid>()).Should().Equal(two.Id, one.Id);
        listed.Select(row => row!["project_name"]!.GetValue<string>()).Should().OnlyContain(project => project == name);
        listed.Select(row => row!["success_rate"]!.GetValue<double>()).Should().Equal(0, 1);
        listed.Select(row => row!["pending"]!.GetValue<int>()).Should().Equal(1, 0);
        listed[0]!["last_error"]!.GetValue<string>().Should().Be("The endpoint answered 500.");
        listed[1]!["last_error"].Should().BeNull();
        (await administrator.GetAsync($"admin/webhooks?limit=1&search={Uri.EscapeDataString(name)}")).Body.GetProperty("pagination").GetProperty("total").GetInt32().Should().Be(2);
        (await administrator.GetAsync($"admin/webhooks?search={Uri.EscapeDataString($"{receiver.Url}/bad")}")).Data().Should().ContainSingle();

        async Task<JsonNode> OfAsync(Hook hook) => JsonNode.Parse((await administrator.GetAsync($"admin/webhooks/{hook.Id}")).Text)!["webhook"]!;
    }

    [Fact]
    public async Task Each_status_finds_its_own()
    {
        var administrator = await api.RegisterAdministratorAsync();
        var school = await api.FoundSchoolAsync();
        var name = $"{Guid.NewGuid():N}";
        var project = await school.CreateProjectAsync(name);
        var hooks = new List<Hook>();
        for (var number = 0; number < 4; number++)
        {
            hooks.Add(await school.HookAsync($"https://hooks.school.example/{number}", project, new { event_types = new[] { "api_key.revoked" } }));
        }

        await api.QueryAsync<int>("""UPDATE webhook_health SET state = state || '{"State": 1}' WHERE endpoint_id = $1""", hooks[1].Id);
        await api.QueryAsync<int>(
            """UPDATE webhook_health SET disabled_at = now(), state = state || jsonb_build_object('DisabledAt', now(), 'DisabledReason', 1) WHERE endpoint_id = $1""", hooks[2].Id);
        await api.QueryAsync<int>("UPDATE webhook_endpoints SET is_enabled = false WHERE id = $1", hooks[3].Id);

        foreach (var (status, hook) in new[] { "active", "paused", "disabled", "off" }.Zip(hooks))
        {
            var found = (await administrator.GetAsync($"admin/webhooks?status={status}&search={name}")).Data().Should().ContainSingle(status).Subject!;
            found["id"]!.GetValue<Guid>().Should().Be(hook.Id, status);
            found["status"]!.GetValue<string>().Should().Be(status);
        }
    }

    [Fact]
    public async Task An_endpoint_is_read_with_its_last_fifty_attempts_and_without_what_was_sent()
    {
        var administrator = await api.RegisterAdministratorAsync();
        var hook = await (await api.FoundSchoolAsync()).HookAsync("https://hooks.school.example/many", more: new { event_types = new[] { "api_key.revoked" } });
        await api.QueryAsync<int>(
            """
            INSERT INTO webhook_attempts (id, delivery_id, endpoint_id, organization_id, project_id, number, url, request_headers, outcome, status, response_body, is_truncated,
                error, duration_ms, attempted_at)
            SELECT gen_random_uuid(), gen_random_uuid(), $1, $2, $3, number, 'https://hooks.school.example/many', '{"canary": "canary"}', 'answered', 500, 'canary', false,
                NULL, number * 10, $4::timestamptz - interval '1 hour' + number * interval '1 second'
            FROM generate_series(1, 60) number
            """,
            hook.Id,
            hook.School.Id,
            hook.Project.Id,
            api.Clock.GetUtcNow());

        var answer = await administrator.GetAsync($"admin/webhooks/{hook.Id}");

        var attempts = JsonNode.Parse(answer.Text)!["attempts"]!.AsArray();
        attempts.Select(attempt => attempt!["number"]!.GetValue<int>()).Should().Equal(Enumerable.Range(11, 50).Reverse());
        attempts[0]!["duration_ms"]!.GetValue<int>().Should().Be(600);
        attempts[0]!["status"]!.GetValue<int>().Should().Be(500);
        answer.Text.Should().NotContain("canary");
        (await administrator.GetAsync($"admin/webhooks/{Guid.NewGuid()}")).ShouldBeProblem(HttpStatusCode.NotFound, "webhook.not_found");
        (await hook.School.Owner.GetAsync("admin/webhooks")).Status.Should().Be(HttpStatusCode.Forbidden, "owners of an organization do not run the installation");
    }
}
