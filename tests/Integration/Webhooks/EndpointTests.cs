using System.Net;
using System.Text.Json.Nodes;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Webhooks;

/// <summary>Where events are sent: what may be entered, and who sees which secret.</summary>
public sealed class EndpointTests(TalkativeWebhookApi api) : IClassFixture<TalkativeWebhookApi>
{
    [Theory]
    [InlineData("""{"url":null}""", "url")]
    [InlineData("""{"url":"no address"}""", "url")]
    [InlineData("""{"url":"ftp://example.com"}""", "url")]
    [InlineData("""{"url":"https://10.0.0.1/hook"}""", "url")]
    [InlineData("""{"url":"https://[::ffff:169.254.169.254]/hook"}""", "url")]
    [InlineData("""{"url":"https://0x0a.1/hook"}""", "url")]
    [InlineData("""{"url":"https://user:secret@example.com"}""", "url")]
    [InlineData("""{"url":"https://example.com","event_types":["nothing.such"]}""", "event_types")]
    [InlineData("""{"url":"https://example.com","event_types":[null]}""", "event_types")]
    [InlineData("""{"url":"https://example.com","retry_seconds":[0]}""", "retry_seconds")]
    [InlineData("""{"url":"https://example.com","retry_seconds":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21]}""", "retry_seconds")]
    public async Task What_cannot_be_right_is_refused_by_its_field(string body, string field)
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();

        var answer = await school.Owner.PostAsync($"{project.Path}/webhooks", JsonNode.Parse(body)!);

        answer.Status.Should().Be(HttpStatusCode.BadRequest, answer.Text);
        answer.Body.GetProperty("errors").TryGetProperty(field, out _).Should().BeTrue(answer.Text);
        (await api.QueryAsync<long>("SELECT count(*) FROM webhook_endpoints WHERE project_id = $1", project.Id)).Should().Be(0);
    }

    [Fact]
    public async Task A_secret_is_shown_once_and_a_public_key_always()
    {
        var school = await api.FoundSchoolAsync();
        var shared = await school.HookAsync("https://one.example/hook");
        var pair = await school.HookAsync("https://other.example/hook", shared.Project, new { signature = "v1a" });
        shared.Secret.Should().StartWith("whsec_");
        pair.Secret.Should().StartWith("whpk_");

        (await school.Owner.GetAsync(shared.Path)).Text.Should().NotContain(shared.Secret).And.NotContain("whsec_");
        var details = JsonNode.Parse((await school.Owner.GetAsync(pair.Path)).Text)!;
        details["secrets"]![0]!["public_key"]!.GetValue<string>().Should().Be(pair.Secret);
        (await school.Owner.GetAsync(pair.Path)).Text.Should().NotContain("whsk_");
        (await school.Owner.GetAsync($"{shared.Project.Path}/webhooks")).Data().Should().HaveCount(2);
        api.Log.Should().NotContain(line => line.Contains(shared.Secret, StringComparison.Ordinal));
        (await school.Owner.GetAsync($"audit-logs?org_id={school.Id}&resource=webhook")).Text.Should().Contain("one.example").And.NotContain(shared.Secret);
    }

    [Fact]
    public async Task A_projects_own_address_is_one_of_its_endpoints_and_follows_it()
    {
        await using var receiver = await HookReceiver.StartAsync();
        var school = await api.FoundSchoolAsync();
        var created = await school.Owner.PostAsync($"projects?org_id={school.Id}", new { name = "Classes", region = "eu-west", webhook_url = receiver.Url });
        created.Status.Should().Be(HttpStatusCode.Created, created.Text);
        var (id, secret) = (created.Body.GetProperty("project").GetProperty("id").GetGuid(), created["webhook_secret"]);

        await receiver.UntilAsync(1, "project.created");
        receiver.Of("project.created").Single().Should().Match<ReceivedHook>(hook => hook.IsSignedWith(secret) && hook.Headers.ContainsKey("X-Webhook-Signature"));

        await school.Owner.PutAsync($"projects/{id}", new { webhook_url = $"{receiver.Url}/moved" });
        await VtpApi.UntilAsync(() => receiver.Received.Any(hook => hook.Path == "/hook/moved"), "an event at the new address");
        var endpoint = (await school.Owner.GetAsync($"projects/{id}/webhooks")).Data().Should().ContainSingle().Subject!;
        endpoint["is_of_project"]!.GetValue<bool>().Should().BeTrue();

        await school.Owner.DeleteAsync($"projects/{id}/webhooks/{endpoint["id"]}");
        (await school.Owner.GetAsync($"projects/{id}"))["webhook_url"].Should().BeNullOrEmpty();
        await school.Owner.PutAsync($"projects/{id}", new { webhook_url = receiver.Url });
        await school.Owner.PutAsync($"projects/{id}", new { webhook_url = "" });
        (await school.Owner.GetAsync($"projects/{id}/webhooks")).Data().Should().BeEmpty();
    }

    [Fact]
    public async Task A_projects_own_address_may_not_lead_into_the_operators_network()
    {
        var school = await api.FoundSchoolAsync();
        var answer = await school.Owner.PostAsync($"projects?org_id={school.Id}", new { name = "Classes", region = "eu-west", webhook_url = "https://169.254.169.254/latest" });
        answer.Status.Should().Be(HttpStatusCode.BadRequest);
        answer.Body.GetProperty("errors").TryGetProperty("webhook_url", out _).Should().BeTrue(answer.Text);
        (await api.QueryAsync<long>("SELECT count(*) FROM projects WHERE organization_id = $1", school.Id)).Should().Be(0);
    }

    [Fact]
    public async Task The_log_of_deliveries_is_paged_and_filtered()
    {
        await using var receiver = await HookReceiver.StartAsync();
        var hook = await (await api.FoundSchoolAsync()).HookAsync(receiver.Url, more: new { event_types = new[] { "project.updated" } });
        for (var number = 0; number < 5; number++)
        {
            await hook.RenameAsync($"Name {number}");
        }

        await VtpApi.UntilAsync(async () => (await hook.DeliveriesAsync("&status=delivered")).Count == 5, "five deliveries");
        var seen = new List<string>();
        for (string? cursor = ""; cursor is not null;)
        {
            var page = await hook.School.Owner.GetAsync($"webhooks/logs?webhook_id={hook.Id}&limit=2{(cursor.Length > 0 ? $"&cursor={cursor}" : "")}");
            seen.AddRange(page.Data().Select(one => one!["id"]!.GetValue<string>()));
            cursor = page.Body.GetProperty("next_cursor").GetString();
        }

        seen.Should().HaveCount(5).And.OnlyHaveUniqueItems();
        (await hook.DeliveriesAsync("&status=failed")).Should().BeEmpty();
        (await hook.DeliveriesAsync("&event_type=project.created")).Should().BeEmpty();
        (await hook.DeliveriesAsync($"&event_id={receiver.Received.First().Id}")).Should().ContainSingle();
        (await hook.School.Owner.GetAsync("webhooks/logs?cursor=garbage")).Status.Should().Be(HttpStatusCode.BadRequest);
        (await api.GetWithKeyAsync("webhooks/logs?limit=100", hook.Project.Key)).Data().Should().HaveCount(5);
    }
}
