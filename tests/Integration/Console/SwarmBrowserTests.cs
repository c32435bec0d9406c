using System.Net;
using System.Security.Cryptography;
using Microsoft.Playwright;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Console;

/// <summary>The tracker's dashboard as a member of a school uses it, in a browser.</summary>
public sealed class SwarmBrowserTests(BrowserApi api) : IClassFixture<BrowserApi>
{
    private const string Hostile = "<img src=x onerror=\"document.title='taken'\">";

    [Theory]
    [InlineData(360, ColorScheme.Dark)]
    [InlineData(Visitor.Desktop, ColorScheme.Light)]
    public async Task A_member_watches_the_swarms_of_their_projects_and_what_strangers_named_is_text(int width, ColorScheme scheme)
    {
        var school = await api.FoundSchoolAsync();
        var (project, other) = (await school.CreateProjectAsync("Evening classes"), await school.CreateProjectAsync("Recordings"));
        await RegisterAsync(project, "seeder-in-the-library", Hostile);
        await RegisterAsync(project, "laptop-of-a-student", "laptop");
        var magnetOf = await AnnounceAsync(project, "seeder-in-the-library", $"{Hostile}.mp4");
        await AnnounceAsync(project, "seeder-in-the-library", "Lecture 12, the whole of it in the best quality there is.mp4");
        await using var visitor = await api.VisitorAsync(width, scheme);
        await visitor.Page.Context.GrantPermissionsAsync(["clipboard-read", "clipboard-write"]);

        await visitor.OpenAsync("/");
        await visitor.FillAsync("Email", school.Owner.Email);
        await visitor.FillAsync("Password", school.Owner.Password);
        await visitor.PressAsync("Sign in");

        // The newest project comes first; it has no peers.
        (await visitor.HeadingAsync()).Should().Be("Tracker");
        await Assertions.Expect(visitor.Page.Locator("#peers")).ToContainTextAsync("None.");
        await visitor.Page.GetByRole(AriaRole.Link, new() { Name = "Evening classes", Exact = true }).ClickAsync();
        await Assertions.Expect(visitor.Page.Locator("#peers")).ToContainTextAsync("laptop-of-a-student");
        await Assertions.Expect(visitor.Page.Locator("#peers")).ToContainTextAsync(Hostile);
        await Assertions.Expect(visitor.Page.Locator("#files")).ToContainTextAsync($"{Hostile}.mp4");
        await Assertions.Expect(visitor.Page.Locator("#feed")).ToHaveTextAsync("As they come.");
        await Assertions.Expect(visitor.Page.Locator("[data-count=ws_clients]")).ToHaveTextAsync("1");
        await Assertions.Expect(visitor.Page.Locator("[data-count=peers_online]")).ToHaveTextAsync("2");

        await RegisterAsync(project, "phone-of-another-one", $"phone {Hostile}");
        await RegisterAsync(other, "peer-of-the-other-project", "unseen");
        await AnnounceAsync(project, "phone-of-another-one", $"new {Hostile}");
        await Assertions.Expect(visitor.Page.Locator("#events li").First).ToContainTextAsync($"new {Hostile}");
        await Assertions.Expect(visitor.Page.Locator("#events")).ToContainTextAsync($"phone {Hostile} at 127.0.0.1");
        await Assertions.Expect(visitor.Page.Locator("#events")).Not.ToContainTextAsync("unseen");

        await visitor.Page.Locator($"#copy-{magnetOf}").ClickAsync();
        await Assertions.Expect(visitor.Page.Locator($"#copy-{magnetOf}")).ToHaveTextAsync("Copied");
        (await visitor.Page.EvaluateAsync<string>("() => navigator.clipboard.readText()")).Should().StartWith($"magnet:?xt=urn:sha256:{magnetOf}&dn=%3Cimg%20src%3Dx%20onerror");

        (await visitor.Page.Locator("img[src='x']").CountAsync()).Should().Be(0);
        await Assertions.Expect(visitor.Page).ToHaveTitleAsync("Tracker · VTP console");
        await visitor.PictureAsync($"console-tracker-{width}-{scheme}".ToLowerInvariant());
        await visitor.ShouldLookWellAsync("tracker");
        visitor.Complaints.Should().BeEmpty();
    }

    [Fact]
    public async Task A_member_who_administers_nothing_sees_the_tracker_and_no_other_page_of_the_console()
    {
        var school = await api.FoundSchoolAsync();
        await school.CreateProjectAsync();
        using var browser = new OperatorBrowser(api);
        (await browser.GetAsync("/dashboard")).Status.Should().Be(HttpStatusCode.OK);
        browser.At.Should().Be("/console/sign-in?next=%2Fconsole%2Ftracker");

        var page = await browser.PostAsync("/console/sign-in", ("email", school.Owner.Email), ("password", school.Owner.Password));

        page.Status.Should().Be(HttpStatusCode.OK);
        browser.At.Should().Be("/console/tracker");
        page.Text.Should().NotContain("/console/jobs");
        foreach (var path in new[] { "/console", "/console/jobs", "/console/system", "/console/webhooks" })
        {
            (await browser.GetAsync(path)).Status.Should().Be(HttpStatusCode.Forbidden, path);
        }

        var theirs = await (await api.FoundSchoolAsync()).CreateProjectAsync();
        (await browser.GetAsync($"/console/tracker?project_id={theirs.Id}")).Status.Should().Be(HttpStatusCode.NotFound);
    }

    private async Task RegisterAsync(SchoolProject project, string peerId, string hostname)
    {
        var answer = await api.WithKeyAsync(HttpMethod.Post, "/api/peers/register", project.Secret, new { peer_id = peerId, port = 6881, hostname });
        answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
    }

    private async Task<string> AnnounceAsync(SchoolProject project, string peerId, string name)
    {
        var content = RandomNumberGenerator.GetBytes(1000);
        var hash = Convert.ToHexStringLower(SHA256.HashData(content));
        var file = new { name, size = 1000, hash, chunk_size = 262_144, chunks = new[] { new { index = 0, hash, size = 1000 } } };
        var answer = await api.WithKeyAsync(HttpMethod.Post, "/api/files/announce", project.Secret, new { peer_id = peerId, file });
        answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
        return hash;
    }
}
