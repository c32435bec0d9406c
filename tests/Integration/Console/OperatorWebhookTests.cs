using System.Net;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;
using Vtp.Integration.Webhooks;

namespace Vtp.Integration.Console;

/// <summary>Webhooks of all projects, as administrators see them in the console.</summary>
public sealed class OperatorWebhookTests(WebhookApi api) : IClassFixture<WebhookApi>
{
    [Fact]
    public async Task Endpoints_of_all_projects_are_found_with_how_they_do_and_their_attempts()
    {
        await using var receiver = await HookReceiver.StartAsync();
        receiver.Answer = (_, context) => Task.FromResult(context.Response.StatusCode = 500);
        using var browser = await OperatorBrowser.SignedInAsync(api, await api.RegisterAdministratorAsync());
        var school = await api.FoundSchoolAsync();
        const string name = "<b>Bold</b> school";
        var project = await school.CreateProjectAsync(name);
        var hook = await school.HookAsync($"{receiver.Url}/bad", project, new { event_types = new[] { "project.updated" }, retry_seconds = new[] { 3600 } });
        var other = await school.HookAsync("https://other.school.example/hook", project, new { event_types = new[] { "api_key.revoked" } });
        await hook.RenameAsync(name);
        await VtpApi.UntilAsync(async () => (await browser.GetAsync($"/console/webhooks/{hook.Id}")).Text.Contains("answered 500"), "the first attempt");

        (await browser.GetAsync($"/console/webhooks/{hook.Id}")).Text.Should().ContainAll("Last attempts", "0.0 %", "&lt;b&gt;Bold").And.NotContain("<b>Bold");
        var all = (await browser.GetAsync("/console/webhooks")).Text;
        all.Should().ContainAll($"/console/webhooks/{hook.Id}", $"/console/webhooks/{other.Id}", "answered 500").And.NotContain("<b>Bold");

        var found = (await browser.GetAsync("/console/webhooks?search=other.school&status=active")).Text;
        found.Should().Contain($"/console/webhooks/{other.Id}").And.NotContain($"/console/webhooks/{hook.Id}");
        (await browser.GetAsync("/console/webhooks?status=off")).Text.Should().NotContain($"/console/webhooks/{other.Id}");
        (await browser.GetAsync($"/console/webhooks/{Guid.NewGuid()}")).Status.Should().Be(HttpStatusCode.NotFound);
    }
}
