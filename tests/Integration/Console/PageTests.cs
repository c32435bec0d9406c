using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Console;

/// <summary>What all pages have in common.</summary>
public sealed partial class PageTests(TalkativeApi api) : IClassFixture<TalkativeApi>
{
    private const string Hostile = "\"><script>alert(1)</script><b x='";

    public static TheoryData<string> Pages =>
    [
        "/setup", "/setup?token=unknown", "/verify-email", "/verify-email?token=any", "/resend-verification", "/forgot-password",
        "/reset-password", "/reset-password?token=unknown",
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task A_page_loads_nothing_from_elsewhere_runs_nothing_and_is_kept_by_nobody(string path)
    {
        foreach (var page in new[] { await api.GetAsync(path), await api.PostFormAsync(path.Split('?')[0], ("token", "unknown")) })
        {
            page.ContentHeaders.ContentType!.ToString().Should().Be("text/html; charset=utf-8");
            Header(page, "Content-Security-Policy").Should().Be(
                "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
            Header(page, "Referrer-Policy").Should().Be("no-referrer");
            Header(page, "Cache-Control").Should().Be("no-store");
            Header(page, "X-Content-Type-Options").Should().Be("nosniff");
            page.Headers.Contains("Set-Cookie").Should().BeFalse();

            page.Text.Should().StartWith("<!DOCTYPE html>").And.Contain("<html lang=\"en\"");
            page.Text.Should().NotContain("<script").And.NotContain("style=").And.NotContain("<!--");
            var addresses = Addresses().Matches(page.Text).Select(match => match.Value).ToList();
            addresses.Should().NotBeEmpty().And.OnlyContain(address => address.StartsWith('/') || address.StartsWith('#'));
        }
    }

    [Theory]
    [InlineData("/setup", HttpStatusCode.BadRequest)]
    [InlineData("/setup?token=unknown", HttpStatusCode.Unauthorized)]
    [InlineData("/verify-email", HttpStatusCode.BadRequest)]
    [InlineData("/verify-email?token=any", HttpStatusCode.OK)]
    [InlineData("/resend-verification", HttpStatusCode.OK)]
    [InlineData("/forgot-password", HttpStatusCode.OK)]
    [InlineData("/reset-password", HttpStatusCode.BadRequest)]
    [InlineData("/reset-password?token=unknown", HttpStatusCode.Unauthorized)]
    public async Task A_page_has_the_status_of_what_it_says(string path, HttpStatusCode status)
    {
        var page = await api.GetAsync(path);

        page.Status.Should().Be(status);
        page.Text.Contains("<title>Error: ", StringComparison.Ordinal).Should().Be(status != HttpStatusCode.OK);
        page.Headers.WwwAuthenticate.Should().HaveCount(status == HttpStatusCode.Unauthorized ? 1 : 0, "a 401 says how to do better");
    }

    [Fact]
    public async Task Hostile_values_come_back_as_text()
    {
        var setup = await api.SubmitSetupAsync(await api.SetupTokenAsync(), Hostile, Hostile, Hostile);
        var forgot = await api.PostFormAsync("/forgot-password", ("email", Hostile));
        var verify = await api.GetAsync($"/verify-email?token={Uri.EscapeDataString(Hostile)}");

        foreach (var page in new[] { setup, forgot, verify })
        {
            page.Text.Should().NotContain("<script>").And.NotContain("<b x");
            WebUtility.HtmlDecode(page.Text).Should().Contain(Hostile);
        }
    }

    [Fact]
    public async Task An_administrator_with_a_hostile_address_is_greeted_as_text()
    {
        // Letters that HTML gives a meaning to, and that an address may hold.
        var email = $"o'neil&co-{Guid.NewGuid():N}@school.example";
        var page = await api.SubmitSetupAsync(await api.SetupTokenAsync(), email);

        page.Status.Should().Be(HttpStatusCode.OK, page.Text);
        page.Text.Should().NotContain(email);
        WebUtility.HtmlDecode(page.Text).Should().Contain(email);
    }

    [Theory]
    [InlineData("application/json", "{\"token\":\"x\"}", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("text/plain", "token=x", HttpStatusCode.UnsupportedMediaType)]
    public async Task A_body_that_is_no_form_is_refused_as_the_api_refuses(string contentType, string body, HttpStatusCode status)
    {
        foreach (var path in new[] { "/setup", "/verify-email", "/resend-verification", "/forgot-password", "/reset-password" })
        {
            using var content = new StringContent(body, Encoding.UTF8, contentType);
            using var response = await api.Http.PostAsync(new Uri(path, UriKind.Relative), content);

            response.StatusCode.Should().Be(status, path);
            response.Content.Headers.ContentType!.MediaType.Should().Be("application/problem+json");
        }
    }

    [Fact]
    public async Task An_absent_or_absurd_form_is_the_clients_fault()
    {
        using var nothing = await api.Http.PostAsync(new Uri("/setup", UriKind.Relative), null);
        var manyFields = await api.PostFormAsync("/setup", [.. Enumerable.Range(0, 3000).Select(index => ($"f{index}", ""))]);
        var huge = await api.PostFormAsync("/setup", ("token", new string('x', 100_000)));
        var nul = await api.SubmitSetupAsync(await api.SetupTokenAsync(), Intents.NewAddress(), "Noor\0Example");

        ((int)nothing.StatusCode).Should().BeInRange(400, 499);
        manyFields.Status.Should().Be(HttpStatusCode.BadRequest);
        huge.Status.Should().Be(HttpStatusCode.RequestEntityTooLarge);
        nul.Status.Should().Be(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Style_and_icon_are_kept_and_asked_for_again_by_their_tag()
    {
        var page = await api.GetAsync("/forgot-password");
        foreach (var (file, type) in new[] { ("site.css", "text/css"), ("icon.svg", "image/svg+xml") })
        {
            var url = Regex.Match(page.Text, $"/console/{Regex.Escape(file)}\\?v=[0-9a-f]+", RegexOptions.None, TimeSpan.FromSeconds(1)).Value;
            var answer = await api.GetAsync(url);

            answer.Status.Should().Be(HttpStatusCode.OK);
            answer.ContentHeaders.ContentType!.MediaType.Should().Be(type);
            answer.Headers.CacheControl!.MaxAge.Should().Be(TimeSpan.FromDays(1));
            answer.Text.Should().NotBeEmpty();

            var again = await api.SendAsync(HttpMethod.Get, url, headers: ("If-None-Match", answer.Headers.ETag!.Tag));
            again.Status.Should().Be(HttpStatusCode.NotModified);
        }
    }

    [Fact]
    public async Task The_api_document_does_not_list_pages()
    {
        var paths = (await api.GetAsync("/openapi/v1.json")).Body.GetProperty("paths").EnumerateObject().Select(path => path.Name).ToList();

        paths.Should().Contain("/api/v1/setup");
        paths.Should().OnlyContain(path => path.StartsWith("/api/", StringComparison.Ordinal)
            || path.StartsWith("/health", StringComparison.Ordinal)
            || path.StartsWith("/.well-known/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_token_or_password_from_a_page_stands_in_no_log_line()
    {
        const string password = "canary password 5d1c";
        var (person, setup) = (await api.RegisterAsync(), await api.SetupTokenAsync());
        var (verify, reset) = (await api.TokenFromMailAsync(person.Email, "Confirm"), await person.ResetTokenAsync());
        await api.GetAsync($"/setup?token={setup}");
        await api.SubmitSetupAsync(setup, Intents.NewAddress(), password: password);
        await api.GetAsync($"/verify-email?token={verify}");
        await api.PostFormAsync("/verify-email", ("token", verify));
        await api.GetAsync($"/reset-password?token={reset}");
        await api.PostFormAsync("/reset-password", ("token", reset), ("new_password", password));

        api.Log.Should().Contain(line => line.Contains("/reset-password", StringComparison.Ordinal), "requests were logged");
        foreach (var secret in new[] { setup, verify, reset, password })
        {
            api.Log.Where(line => line.Contains(secret, StringComparison.Ordinal)).Should().BeEmpty();
        }
    }

    private static string Header(Answer page, string name) => string.Join(", ", page.Headers.GetValues(name));

    [GeneratedRegex("(?<=(href|src|action)=\")[^\"]*", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Addresses();
}
