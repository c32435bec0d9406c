using Microsoft.Playwright;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;
using Vtp.Integration.Webhooks;

namespace Vtp.Integration.Console;

/// <summary>The console as an administrator uses it, in a browser.</summary>
public sealed class OperatorBrowserTests(BrowserApi api) : IClassFixture<BrowserApi>
{
    private const string Schedule = OperatorIntents.Harmless;

    [Fact]
    public async Task An_administrator_signs_in_replays_a_dead_job_and_pauses_a_schedule()
    {
        var administrator = await api.RegisterAdministratorAsync();
        await using var visitor = await SignedInAsync(administrator);
        var id = await api.DeadJobAsync("<script>document.title = 'taken'</script>");
        await visitor.Page.GetByRole(AriaRole.Link, new() { Name = "Jobs", Exact = true }).First.ClickAsync();
        (await visitor.HeadingAsync()).Should().Be("Jobs");

        await visitor.Page.Locator($"#about-{id}").ClickAsync();
        await Assertions.Expect(visitor.Page.Locator($"#job-{id}")).ToContainTextAsync("<script>document.title = 'taken'</script>");
        await Assertions.Expect(visitor.Page).ToHaveTitleAsync("Jobs · VTP console");
        await visitor.Page.Locator($"#retry-{id}").ClickAsync();
        await Assertions.Expect(visitor.Page.Locator(".notice")).ToHaveTextAsync("The job is due now.");
        await Assertions.Expect(visitor.Page.Locator($"#retry-{id}")).ToHaveCountAsync(0);

        await visitor.PressAsync($"Pause the schedule {Schedule}");
        await visitor.PressAsync($"Resume the schedule {Schedule}");
        await Assertions.Expect(visitor.Page.GetByRole(AriaRole.Button, new() { Name = $"Pause the schedule {Schedule}" })).ToBeVisibleAsync();

        await visitor.PressAsync("Sign out");
        (await visitor.HeadingAsync()).Should().Be("Sign in to the console");
        visitor.Complaints.Should().BeEmpty();
    }

    [Fact]
    public async Task A_page_renews_itself_and_leaves_alone_what_somebody_is_at()
    {
        await using var visitor = await api.VisitorAsync();
        await visitor.Page.Clock.InstallAsync();
        await SignInAsync(visitor, await api.RegisterAdministratorAsync());
        var opened = await api.DeadJobAsync("opened", "test.renewed");
        await visitor.OpenAsync("/console/jobs/dead?kind=test.renewed");
        await visitor.Page.Locator($"#about-{opened}").PressAsync("Enter");

        var next = await api.DeadJobAsync("next", "test.renewed");
        await visitor.Page.Clock.FastForwardAsync(11_000);

        await Assertions.Expect(visitor.Page.Locator($"#job-{next}")).ToBeVisibleAsync();
        await Assertions.Expect(visitor.Page.Locator($"#job-{opened}")).ToHaveAttributeAsync("open", "");
        await Assertions.Expect(visitor.Page.Locator($"#about-{opened}")).ToBeFocusedAsync();

        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Pause renewing this page" }).ClickAsync();
        var unseen = await api.DeadJobAsync("unseen", "test.renewed");
        await visitor.Page.Clock.FastForwardAsync(60_000);
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Resume renewing this page" }).WaitForAsync();
        (await visitor.Page.Locator($"#job-{unseen}").CountAsync()).Should().Be(0);

        await visitor.Page.ReloadAsync();
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Resume renewing this page" }).ClickAsync();
        var last = await api.DeadJobAsync("last", "test.renewed");
        await visitor.Page.Clock.FastForwardAsync(11_000);
        await Assertions.Expect(visitor.Page.Locator($"#job-{last}")).ToBeVisibleAsync();
        visitor.Complaints.Should().BeEmpty();
    }

    [Fact]
    public async Task A_page_whose_session_has_ended_leads_to_the_sign_in()
    {
        var administrator = await api.RegisterAdministratorAsync();
        await using var visitor = await api.VisitorAsync();
        await visitor.Page.Clock.InstallAsync();
        await SignInAsync(visitor, administrator);
        await visitor.OpenAsync("/console/jobs");

        await administrator.PostAsync("auth/logout-all");
        await visitor.Page.Clock.FastForwardAsync(11_000);

        await visitor.Page.WaitForURLAsync("**/console/sign-in?next=%2Fconsole%2Fjobs");
    }

    [Fact]
    public async Task The_console_is_used_from_the_keyboard_alone()
    {
        var administrator = await api.RegisterAdministratorAsync();
        await using var visitor = await api.VisitorAsync();
        await visitor.OpenAsync("/console/jobs");
        foreach (var text in new[] { administrator.Email, administrator.Password })
        {
            await visitor.Page.Keyboard.PressAsync("Tab");
            await visitor.Page.Keyboard.TypeAsync(text);
        }

        await visitor.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(visitor.Page).ToHaveTitleAsync("Jobs · VTP console");

        await visitor.Page.Keyboard.PressAsync("Tab");
        await Assertions.Expect(visitor.Page.GetByRole(AriaRole.Link, new() { Name = "Skip to the content" })).ToBeInViewportAsync();
        await visitor.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(visitor.Page.Locator("#main")).ToBeFocusedAsync();
        await visitor.Page.Locator($"#run-{Schedule.Replace(".", "\\.")}").FocusAsync();
        await visitor.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(visitor.Page.Locator(".notice")).ToContainTextAsync("ticked once");
    }

    [Theory]
    [InlineData(360, ColorScheme.Light)]
    [InlineData(360, ColorScheme.Dark)]
    [InlineData(Visitor.Desktop, ColorScheme.Light)]
    [InlineData(Visitor.Desktop, ColorScheme.Dark)]
    public async Task Every_page_of_the_console_fits_is_legible_and_can_be_hit_with_a_thumb(int width, ColorScheme scheme)
    {
        var administrator = await api.RegisterAdministratorAsync();
        await api.DeadJobAsync("The receiver's certificate has expired: CN=hooks.school.example, issued by an authority that nobody trusts any more.", "webhooks.deliver");
        await api.WaitingJobAsync(failures: 2);
        await api.QueryAsync<int>(
            """
            INSERT INTO job_minutes (kind, minute, done, failed)
            SELECT 'webhooks.deliver', date_trunc('minute', now()) - n * interval '1 minute', (60 + 40 * sin(n / 5.0))::int, CASE WHEN n % 9 = 0 THEN n ELSE 0 END
            FROM generate_series(1, 58) n ON CONFLICT DO NOTHING
            """);
        await using var visitor = await api.VisitorAsync(width, scheme);

        await visitor.OpenAsync("/console");
        await LookAsync("sign-in");
        await SignInAsync(visitor, administrator);
        await LookAsync("home");
        await visitor.OpenAsync("/console/jobs");
        await visitor.Page.Locator("summary").First.ClickAsync();
        await LookAsync("jobs");
        await visitor.OpenAsync("/console/jobs/dead");
        await LookAsync("dead");
        var school = await api.FoundSchoolAsync();
        var hook = await school.HookAsync("https://hooks.a-school-with-a-long-name.example/receivers/vtp/production", await school.CreateProjectAsync("Evening classes"), new { event_types = new[] { "api_key.revoked" } });
        await visitor.OpenAsync("/console");
        await visitor.Page.GetByRole(AriaRole.Link, new() { Name = "Webhooks", Exact = true }).First.ClickAsync();
        await Assertions.Expect(visitor.Page.Locator($"#to-{hook.Id}")).ToBeVisibleAsync();
        await LookAsync("webhooks");
        await visitor.Page.Locator($"#to-{hook.Id}").ClickAsync();
        await Assertions.Expect(visitor.Page).ToHaveTitleAsync("Webhook · VTP console");
        await LookAsync("webhook");
        await DoSomethingAsync(administrator);
        await visitor.Page.GetByRole(AriaRole.Link, new() { Name = "System", Exact = true }).First.ClickAsync();
        await Assertions.Expect(visitor.Page).ToHaveTitleAsync("System · VTP console");
        await LookAsync("system");
        visitor.Complaints.Should().BeEmpty();

        async Task LookAsync(string name)
        {
            await visitor.PictureAsync($"console-{name}-{width}-{scheme}".ToLowerInvariant());
            await visitor.ShouldLookWellAsync(name);
        }
    }

    [Fact]
    public async Task The_system_page_draws_what_the_server_does_and_renews_itself()
    {
        var administrator = await api.RegisterAdministratorAsync();
        await using var visitor = await api.VisitorAsync();
        await visitor.Page.Clock.InstallAsync();
        await SignInAsync(visitor, administrator);
        await visitor.OpenAsync("/console/system");
        await Assertions.Expect(visitor.Page.Locator("#endpoints")).Not.ToContainTextAsync("/api/v1/admin/schedules");

        for (var count = 0; count < 3; count++)
        {
            await administrator.GetAsync("admin/schedules");
        }

        await DoSomethingAsync(administrator);
        await api.QueryAsync<int>("INSERT INTO system_alerts (id, rule, node, threshold, value, raised_at, checked_at) VALUES ($1, 'threads', 'other', 1000, 1234, now(), now())", Guid.CreateVersion7());
        await visitor.Page.Clock.FastForwardAsync(11_000);

        await Assertions.Expect(visitor.Page.Locator("#alerts")).ToContainTextAsync("1,234");
        await Assertions.Expect(visitor.Page.Locator("#traffic path.first")).ToHaveAttributeAsync("d", new System.Text.RegularExpressions.Regex("^M[0-9]+ ", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1)));
        await Assertions.Expect(visitor.Page.Locator("#latency svg")).ToHaveAttributeAsync("aria-label", new System.Text.RegularExpressions.Regex("p95 [0-9.,]+ ms", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1)));

        var download = await visitor.Page.RunAndWaitForDownloadAsync(
            () => visitor.Page.Locator("#take-profile").EvaluateAsync("button => button.click()"), new() { Timeout = 60_000 });
        download.SuggestedFilename.Should().Be("vtp-cpu.speedscope.json");
        File.ReadAllText((await download.PathAsync())!).Should().Contain("speedscope.app");
        visitor.Complaints.Should().BeEmpty();
    }

    /// <summary>A few minutes as a server has them, each point of the charts of another height.</summary>
    private async Task DoSomethingAsync(Person person)
    {
        var watch = api.Service<Infrastructure.Performance.PerformanceWatch>();
        for (var point = 0; point < 12; point++)
        {
            for (var count = 0; count < 5 + (point % 5 * 4); count++)
            {
                await person.GetAsync(count % 7 == 3 ? "nothing" : "auth/profile");
            }

            await watch.LookAsync(CancellationToken.None);
        }
    }

    private static async Task SignInAsync(Visitor visitor, Person administrator)
    {
        await visitor.OpenAsync("/console/sign-in");
        await visitor.FillAsync("Email", administrator.Email);
        await visitor.FillAsync("Password", administrator.Password);
        await visitor.PressAsync("Sign in");
        await Assertions.Expect(visitor.Page).ToHaveTitleAsync("Console · VTP console");
    }

    private async Task<Visitor> SignedInAsync(Person administrator)
    {
        var visitor = await api.VisitorAsync();
        await SignInAsync(visitor, administrator);
        return visitor;
    }
}
