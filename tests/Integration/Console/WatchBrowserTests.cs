using System.Net;
using Microsoft.Playwright;
using Vtp.Integration.Fixture;
using Vtp.Integration.Realtime;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Console;

/// <summary>The live dashboard as an administrator has it open, in a browser.</summary>
public sealed class WatchBrowserTests(BrowserApi api) : IClassFixture<BrowserApi>
{
    private const string Hostile = "<img src=x onerror=\"document.title='taken'\">";

    [Theory]
    [InlineData(360, ColorScheme.Dark)]
    [InlineData(Visitor.Desktop, ColorScheme.Light)]
    public async Task An_administrator_watches_what_happens_and_what_others_wrote_is_text(int width, ColorScheme scheme)
    {
        var admin = await api.RegisterAdministratorAsync();
        await AlertAsync(admin, $"Before {Hostile}");
        await using var visitor = await api.VisitorAsync(width, scheme);
        await visitor.OpenAsync("/console/live");
        await visitor.FillAsync("Email", admin.Email);
        await visitor.FillAsync("Password", admin.Password);
        await visitor.PressAsync("Sign in");

        (await visitor.HeadingAsync()).Should().Be("Live");
        await Assertions.Expect(visitor.Page.Locator("#feed")).ToContainTextAsync("As it happens");
        await Assertions.Expect(visitor.Page.Locator("#alerts")).ToContainTextAsync($"Before {Hostile}");
        await Assertions.Expect(visitor.Page.Locator("#activity")).ToContainTextAsync("session.started");
        await Assertions.Expect(visitor.Page.Locator("[data-reading=sse]")).ToHaveTextAsync("1", new() { Timeout = 15_000 });

        await AlertAsync(admin, $"Now {Hostile}");
        await admin.PostAsync("/api/dashboard/realtime/broadcast/analytics", new { type = "goal_completion", data = new { text = Hostile } });
        await Assertions.Expect(visitor.Page.Locator("#alerts li").First).ToContainTextAsync($"Now {Hostile}");
        await Assertions.Expect(visitor.Page.Locator("#activity")).ToContainTextAsync("goal_completion");
        await (await api.FoundSchoolAsync()).CreateProjectAsync("Seen");
        await Assertions.Expect(visitor.Page.Locator("#activity")).ToContainTextAsync("project.created Noor Example");

        (await visitor.Page.Locator("img[src='x']").CountAsync()).Should().Be(0);
        await Assertions.Expect(visitor.Page).ToHaveTitleAsync("Live · VTP console");
        await visitor.PictureAsync($"console-live-{width}-{scheme}".ToLowerInvariant());
        await visitor.ShouldLookWellAsync("live");
        visitor.Complaints.Should().BeEmpty();
    }

    [Fact]
    public async Task The_example_of_the_guide_is_told_what_happens()
    {
        var guide = await File.ReadAllTextAsync(SocketClients.Repository("docs/dashboard.md"));
        var example = guide[(guide.IndexOf("```js", StringComparison.Ordinal) + 5)..];
        example = example[..example.IndexOf("```", StringComparison.Ordinal)];
        var admin = await api.RegisterAdministratorAsync();
        await using var visitor = await api.VisitorAsync(Visitor.Desktop, ColorScheme.Light);
        await visitor.OpenAsync("/console/live");
        await visitor.FillAsync("Email", admin.Email);
        await visitor.FillAsync("Password", admin.Password);
        await visitor.PressAsync("Sign in");
        var ticket = (await admin.PostAsync("realtime/tickets"))["ticket"];
        await visitor.Page.EvaluateAsync(
            $$"""
            ([url, ticket]) => {
              window.told = [];
              const console = { log: (...all) => window.told.push(all.join(' ')) };
              {{example}}
            }
            """,
            new[] { api.Url.GetLeftPart(UriPartial.Authority), ticket });
        await VtpApi.UntilAsync(async () => (await ToldAsync()).Any(line => line.StartsWith("sse_", StringComparison.Ordinal)), "it to be connected");
        await AlertAsync(admin, "The roof leaks");
        await VtpApi.UntilAsync(async () => (await ToldAsync()).Contains("error The roof leaks"), "the alert");

        Task<string[]> ToldAsync() => visitor.Page.EvaluateAsync<string[]>("() => window.told");
    }

    [Fact]
    public async Task A_manager_sees_the_page_of_their_organization_and_a_student_none()
    {
        var (school, student) = (await api.FoundSchoolAsync(), await api.RegisterAsync());
        using var browser = new OperatorBrowser(api);
        await browser.GetAsync("/console/live");
        var page = await browser.PostAsync("/console/sign-in", ("email", school.Owner.Email), ("password", school.Owner.Password));
        page.Status.Should().Be(HttpStatusCode.OK, page.Text);
        browser.At.Should().Be("/console/live");
        page.Text.Should().Contain("data-feed=\"/api/dashboard/realtime/sse\"").And.NotContain("MiB of memory").And.NotContain("/console/jobs");

        using var other = new OperatorBrowser(api);
        await other.GetAsync("/console/live");
        (await other.PostAsync("/console/sign-in", ("email", student.Email), ("password", student.Password))).Status.Should().Be(HttpStatusCode.Forbidden);
    }

    private static async Task AlertAsync(Person admin, string message) =>
        (await admin.PostAsync("/api/dashboard/realtime/broadcast/system-alert", new { level = "error", message, source = "tests" })).Status.Should().Be(HttpStatusCode.OK);
}
