using System.Net;
using System.Text.RegularExpressions;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Console;

/// <summary>The queue and the schedules, as administrators see and change them in the console.</summary>
public sealed class OperatorJobTests(VtpApi api) : IClassFixture<VtpApi>
{
    private const string Schedule = "jobs.remove_old";

    [Fact]
    public async Task A_dead_job_is_seen_with_its_errors_replayed_and_in_the_trail()
    {
        var administrator = await api.RegisterAdministratorAsync();
        using var browser = await OperatorBrowser.SignedInAsync(api, administrator);
        var id = await api.DeadJobAsync();

        var page = await browser.GetAsync("/console/jobs");
        page.Status.Should().Be(HttpStatusCode.OK);
        page.Text.Should().ContainAll($"formaction=\"/console/jobs/{id}/retry\"", "at first", "broken", "2 of 2");

        page = await browser.PostAsync($"/console/jobs/{id}/retry");
        browser.At.Should().Be("/console/jobs?done=job-retried");
        page.Text.Should().Contain("The job is due now.");
        await VtpApi.UntilAsync(async () => await CountAsync(id) == 0, "the job to be done");
        (await api.QueryAsync<Guid>("SELECT actor_id FROM audit_entries WHERE action = 'job.retried' AND outcome = 'succeeded' AND target_id = $1", id))
            .Should().Be(administrator.UserId);

        page = await browser.PostAsync($"/console/jobs/{id}/retry");
        page.Status.Should().Be(HttpStatusCode.NotFound);
        page.Text.Should().Contain("There is no such job").And.Contain("href=\"/console/jobs\"");
    }

    [Fact]
    public async Task What_a_job_or_an_address_says_is_shown_as_text()
    {
        const string hostile = "<script>alert(1)</script><img src=x onerror=\"alert(2)\">";
        using var browser = await OperatorBrowser.SignedInAsync(api, await api.RegisterAdministratorAsync());
        await api.DeadJobAsync(hostile, "test.hostile<b>");

        foreach (var path in new[] { "/console/jobs", "/console/jobs/dead", $"/console/jobs/dead?kind={Uri.EscapeDataString(hostile)}", $"/console/jobs?done={Uri.EscapeDataString(hostile)}" })
        {
            var page = await browser.GetAsync(path);

            page.Status.Should().Be(HttpStatusCode.OK);
            page.Text.Should().NotContain("<script>").And.NotContain("<img src=x").And.NotContain("<b>test").And.NotContain("hostile<b>");
            Regex.Count(page.Text, "<script ", RegexOptions.None, TimeSpan.FromSeconds(1)).Should().Be(1, "that of the page itself");
        }

        WebUtility.HtmlDecode((await browser.GetAsync("/console/jobs/dead")).Text).Should().Contain(hostile);
    }

    [Fact]
    public async Task A_job_that_failed_and_waits_is_told_apart_from_one_that_only_waits_and_either_is_deleted()
    {
        using var browser = await OperatorBrowser.SignedInAsync(api, await api.RegisterAdministratorAsync());
        var (failed, waiting) = (await api.WaitingJobAsync(failures: 3), await api.WaitingJobAsync(failures: 0));

        (await browser.GetAsync("/console/jobs/failed")).Text.Should().Contain(failed.ToString()).And.Contain("3 of 9").And.NotContain(waiting.ToString());
        (await browser.GetAsync("/console/jobs/scheduled")).Text.Should().ContainAll(failed.ToString(), waiting.ToString());

        var page = await browser.PostAsync($"/console/jobs/{failed}/delete");
        browser.At.Should().Be("/console/jobs/scheduled?done=job-deleted", "one comes back to where one was");
        page.Text.Should().Contain("The job is removed.").And.NotContain(failed.ToString()).And.Contain(waiting.ToString());
    }

    [Fact]
    public async Task A_kind_is_paused_resumed_and_its_dead_are_replayed()
    {
        using var browser = await OperatorBrowser.SignedInAsync(api, await api.RegisterAdministratorAsync());
        const string kind = "identity.remove_expired";
        var dead = new[] { await api.DeadJobAsync(kind: kind), await api.DeadJobAsync(kind: kind) };

        await browser.GetAsync("/console/jobs");
        (await browser.PostAsync($"/console/jobs/kinds/{kind}/pause")).Text.Should().Contain($"formaction=\"/console/jobs/kinds/{kind}/resume\"");
        (await browser.PostAsync($"/console/jobs/kinds/{kind}/resume")).Text.Should().Contain($"formaction=\"/console/jobs/kinds/{kind}/pause\"");
        (await browser.PostAsync($"/console/jobs/kinds/{kind}/replay")).Text.Should().Contain("2 jobs begin anew.");

        await VtpApi.UntilAsync(async () => await CountAsync(dead[0]) + await CountAsync(dead[1]) == 0, "both to be done");
        (await browser.PostAsync("/console/jobs/kinds/none.such/pause")).Status.Should().Be(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_schedule_is_paused_resumed_and_run()
    {
        var administrator = await api.RegisterAdministratorAsync();
        using var browser = await OperatorBrowser.SignedInAsync(api, administrator);
        await VtpApi.UntilAsync(async () => (await browser.GetAsync("/console/jobs")).Text.Contains($"/console/schedules/{Schedule}/pause"), "the schedules to be stored");

        (await browser.PostAsync($"/console/schedules/{Schedule}/pause")).Text.Should().Contain($"formaction=\"/console/schedules/{Schedule}/resume\"");
        (await browser.PostAsync($"/console/schedules/{Schedule}/resume")).Text.Should().Contain($"formaction=\"/console/schedules/{Schedule}/pause\"");
        (await browser.PostAsync($"/console/schedules/{Schedule}/run")).Text.Should().Contain("The schedule has ticked once");

        (await api.QueryAsync<long>("SELECT count(DISTINCT action) FROM audit_entries WHERE action LIKE 'schedule.%' AND actor_id = $1", administrator.UserId)).Should().Be(3);
    }

    [Fact]
    public async Task A_long_list_is_read_page_by_page()
    {
        using var browser = await OperatorBrowser.SignedInAsync(api, await api.RegisterAdministratorAsync());
        for (var count = 0; count < 60; count++)
        {
            await api.DeadJobAsync(kind: "test.many");
        }

        var first = (await browser.GetAsync("/console/jobs/dead?kind=test.many")).Text;
        var older = WebUtility.HtmlDecode(Regex.Match(first, "id=\"older\" href=\"(?<to>[^\"]+)\"", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)).Groups["to"].Value);
        var second = (await browser.GetAsync(older)).Text;

        (Rows(first), Rows(second)).Should().Be((50, 10));
        second.Should().NotContain("id=\"older\"");

        static int Rows(string page) => Regex.Count(page, "<details id=\"job-", RegexOptions.None, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task Tables_have_headers_buttons_have_names_and_ids_are_unique()
    {
        using var browser = await OperatorBrowser.SignedInAsync(api, await api.RegisterAdministratorAsync());
        await api.DeadJobAsync();
        await api.WaitingJobAsync(failures: 1);

        foreach (var path in new[] { "/console", "/console/jobs", "/console/jobs/dead", "/console/jobs/running" })
        {
            var page = (await browser.GetAsync(path)).Text;

            Matches(page, "<th (?![^>]*scope=)").Should().BeEmpty(path);
            Matches(page, "<table(?![^>]*>\\s*<caption)").Should().BeEmpty(path);
            Matches(page, " id=\"[^\"]+\"").Should().OnlyHaveUniqueItems(path);
            Matches(page, " aria-label=\"[^\"]*(Replay|Delete|Pause|Resume|Run)[^\"]*\"").Should().OnlyHaveUniqueItems("a name says what of which", path);
        }

        static List<string> Matches(string text, string pattern) => [.. Regex.Matches(text, pattern, RegexOptions.None, TimeSpan.FromSeconds(1)).Select(match => match.Value)];
    }

    [Fact]
    public async Task An_address_of_no_page_is_not_found()
    {
        using var browser = await OperatorBrowser.SignedInAsync(api, await api.RegisterAdministratorAsync());

        (await browser.GetAsync("/console/jobs/none")).Status.Should().Be(HttpStatusCode.NotFound);
    }

    private Task<long> CountAsync(Guid id) =>
        api.QueryAsync<long>("SELECT (SELECT count(*) FROM jobs WHERE id = $1) + (SELECT count(*) FROM dead_jobs WHERE id = $1)", id);
}
