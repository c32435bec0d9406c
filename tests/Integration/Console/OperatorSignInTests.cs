using System.Net;
using System.Text.RegularExpressions;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Console;

/// <summary>Who gets into the console, how, and for how long.</summary>
public sealed class OperatorSignInTests(VtpApi api) : IClassFixture<VtpApi>
{
    private const string SessionCookie = "vtp-console";

    [Fact]
    public async Task Without_a_session_every_page_leads_to_the_sign_in_and_from_there_back()
    {
        var administrator = await api.RegisterAdministratorAsync();
        using var browser = new OperatorBrowser(api);

        await browser.GetAsync("/console?a=1");
        browser.At.Should().Be("/console/sign-in?next=%2Fconsole%3Fa%3D1");
        await browser.PostAsync("/console/sign-in", ("email", administrator.Email), ("password", administrator.Password));
        browser.At.Should().Be("/console");

        using var other = new OperatorBrowser(api);
        await other.GetAsync("/console/sign-in?next=/console/nothing-there");
        await other.PostAsync("/console/sign-in", ("email", administrator.Email), ("password", administrator.Password));
        other.At.Should().Be("/console/nothing-there");
    }

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example/console/")]
    [InlineData("/console/\\evil.example")]
    [InlineData("/api/v1/admin/users")]
    [InlineData("/console/sign-out")]
    public async Task A_link_to_the_sign_in_leads_on_into_the_console_only(string next)
    {
        var administrator = await api.RegisterAdministratorAsync();
        using var browser = new OperatorBrowser(api);
        await browser.GetAsync($"/console/sign-in?next={Uri.EscapeDataString(next)}");

        await browser.PostAsync("/console/sign-in", ("email", administrator.Email), ("password", administrator.Password));

        browser.At.Should().Be("/console");
    }

    [Fact]
    public async Task The_cookie_is_sealed_and_for_this_site_alone()
    {
        var signedIn = await SubmitAsync(api, await api.RegisterAdministratorAsync());

        signedIn.Status.Should().Be(HttpStatusCode.Found, signedIn.Text);
        var cookie = signedIn.Headers.GetValues("Set-Cookie").Single(cookie => cookie.StartsWith($"{SessionCookie}=", StringComparison.Ordinal));
        cookie.ToLowerInvariant().Should().ContainAll("; httponly", "; samesite=strict", "; path=/").And.NotContain("expires").And.NotContain("domain");
        cookie.Should().NotContain("eyJ", "no token is to be read in it").And.NotContain("vtr_");
    }

    [Fact]
    public async Task Over_tls_the_cookie_goes_over_tls_only_and_no_neighbouring_host_can_plant_it()
    {
        var proxied = new ProxiedApi();
        await proxied.InitializeAsync();

        var signedIn = await SubmitAsync(proxied, await proxied.RegisterAdministratorAsync(), ("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "192.0.2.7"));

        var cookie = signedIn.Headers.GetValues("Set-Cookie").Single(cookie => cookie.StartsWith($"__Host-{SessionCookie}=", StringComparison.Ordinal));
        cookie.ToLowerInvariant().Should().ContainAll("; secure", "; httponly", "; samesite=strict", "; path=/").And.NotContain("domain");
        await proxied.DisposeAsync();
    }

    [Fact]
    public async Task A_wrong_password_is_refused_as_the_api_refuses_it()
    {
        var administrator = await api.RegisterAdministratorAsync();
        using var browser = new OperatorBrowser(api);
        await browser.GetAsync("/console/sign-in");

        var page = await browser.PostAsync("/console/sign-in", ("email", administrator.Email), ("password", "not the password"));

        page.Status.Should().Be(HttpStatusCode.Unauthorized);
        page.Text.Should().Contain("role=\"alert\"").And.Contain($"value=\"{administrator.Email}\"").And.NotContain("not the password");
        browser.Cookies.Should().NotContain(cookie => cookie.Name == SessionCookie);
    }

    [Fact]
    public async Task Where_a_second_factor_is_on_the_password_alone_does_not_get_in()
    {
        var administrator = await api.RegisterAdministratorAsync();
        var (app, _) = await administrator.EnableTwoFactorAsync();
        using var browser = new OperatorBrowser(api);
        await browser.GetAsync("/console/sign-in");

        (await browser.PostAsync("/console/sign-in", ("email", administrator.Email), ("password", administrator.Password))).Text.Should().Contain("Enter your code");
        browser.Cookies.Should().NotContain(cookie => cookie.Name == SessionCookie);
        (await browser.PostAsync("/console/sign-in/code", ("code", app.WrongCode()))).Status.Should().Be(HttpStatusCode.Unauthorized);
        browser.Cookies.Should().NotContain(cookie => cookie.Name == SessionCookie);

        (await browser.PostAsync("/console/sign-in/code", ("code", app.Code()))).Status.Should().Be(HttpStatusCode.OK);
        browser.At.Should().Be("/console");
    }

    [Theory]
    [InlineData("student")]
    [InlineData("teacher")]
    public async Task Whoever_is_no_administrator_is_told_so_and_no_session_stays_behind(string role)
    {
        var person = await api.RegisterAsync(role: role);
        using var browser = new OperatorBrowser(api);
        await browser.GetAsync("/console/sign-in");

        var page = await browser.PostAsync("/console/sign-in", ("email", person.Email), ("password", person.Password));

        page.Status.Should().Be(HttpStatusCode.Forbidden);
        page.Text.Should().Contain("for administrators");
        browser.Cookies.Should().NotContain(cookie => cookie.Name == SessionCookie);
        (await person.GetAsync("auth/sessions")).Body.GetProperty("data").GetArrayLength().Should().Be(1, "the one of the registration");
        await browser.GetAsync("/console");
        browser.At.Should().StartWith("/console/sign-in");
    }

    [Fact]
    public async Task An_administrator_who_is_one_no_longer_is_out()
    {
        var (administrator, other) = (await api.RegisterAdministratorAsync(), await api.RegisterAdministratorAsync());
        using var browser = await OperatorBrowser.SignedInAsync(api, administrator);

        (await api.SendAsync(HttpMethod.Patch, $"admin/users/{administrator.UserId}/role", new { role = "teacher" }, other.AccessToken)).Status.Should().Be(HttpStatusCode.OK);

        await browser.GetAsync("/console");
        browser.At.Should().StartWith("/console/sign-in");
    }

    [Fact]
    public async Task The_cookie_opens_no_route_of_the_api()
    {
        using var browser = await OperatorBrowser.SignedInAsync(api, await api.RegisterAdministratorAsync());

        foreach (var path in new[] { "/api/v1/auth/profile", "/api/v1/admin/jobs", "/api/v1/admin/users", "/api/v1/admin/schedules" })
        {
            (await browser.GetAsync(path)).Status.Should().Be(HttpStatusCode.Unauthorized, path);
        }

        (await browser.PostAsync("/api/v1/admin/schedules/jobs.remove_old/pause")).Status.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_bearer_token_opens_no_page()
    {
        var administrator = await api.RegisterAdministratorAsync();

        var page = await api.GetAsync("/console", administrator.AccessToken);

        page.Status.Should().Be(HttpStatusCode.Found);
        page.Headers.Location!.ToString().Should().StartWith("/console/sign-in");
    }

    [Fact]
    public async Task A_session_that_is_revoked_closes_the_console_here_at_once_and_on_another_node_within_two_seconds()
    {
        var administrator = await api.RegisterAdministratorAsync();
        using var browser = await OperatorBrowser.SignedInAsync(api, administrator);
        var second = await SecondNode.BesideAsync(api);
        using var elsewhere = new OperatorBrowser(second);
        elsewhere.Keep(browser.Cookies.Single(cookie => cookie.Name == SessionCookie));
        await elsewhere.GetAsync("/console");
        elsewhere.At.Should().Be("/console", "a cookie that one node sealed opens on every node");
        var session = (await administrator.GetAsync("auth/sessions")).Body.GetProperty("data").EnumerateArray()
            .Single(one => one.GetProperty("user_agent").GetString() == OperatorBrowser.UserAgent);

        await api.SendAsync(HttpMethod.Delete, $"auth/sessions/{session.GetProperty("id").GetString()}", token: administrator.AccessToken);
        var revoked = System.Diagnostics.Stopwatch.StartNew();

        await browser.GetAsync("/console");
        browser.At.Should().StartWith("/console/sign-in");
        await VtpApi.UntilAsync(
            async () =>
            {
                await elsewhere.GetAsync("/console");
                return elsewhere.At.StartsWith("/console/sign-in", StringComparison.Ordinal);
            },
            "the other node to notice");
        revoked.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(3));
        await second.DisposeAsync();
    }

    [Fact]
    public async Task A_session_outlives_its_access_token_and_ends_with_its_own_time()
    {
        using var browser = await OperatorBrowser.SignedInAsync(api, await api.RegisterAdministratorAsync());
        var before = browser.Cookies.Single(cookie => cookie.Name == SessionCookie).Value;
        api.Clock.Advance(TimeSpan.FromHours(2));

        await browser.GetAsync("/console");
        browser.At.Should().Be("/console");
        browser.Cookies.Single(cookie => cookie.Name == SessionCookie).Value.Should().NotBe(before);

        api.Clock.Advance(TimeSpan.FromDays(8));
        await browser.GetAsync("/console");
        browser.At.Should().StartWith("/console/sign-in");
        browser.Cookies.Should().NotContain(cookie => cookie.Name == SessionCookie);
    }

    [Fact]
    public async Task Signing_out_ends_the_session_and_not_only_the_cookie()
    {
        using var browser = await OperatorBrowser.SignedInAsync(api, await api.RegisterAdministratorAsync());
        var cookie = browser.Cookies.Single(cookie => cookie.Name == SessionCookie);

        await browser.PostAsync("/console/sign-out");
        browser.At.Should().Be("/console/sign-in");
        browser.Cookies.Should().NotContain(known => known.Name == SessionCookie);

        using var thief = new OperatorBrowser(api);
        thief.Keep(cookie);
        await thief.GetAsync("/console");
        thief.At.Should().StartWith("/console/sign-in");
    }

    [Fact]
    public async Task A_form_without_the_token_of_this_session_does_nothing()
    {
        var (one, other) = (await api.RegisterAdministratorAsync(), await api.RegisterAdministratorAsync());
        using var browser = await OperatorBrowser.SignedInAsync(api, one);
        using var attacker = await OperatorBrowser.SignedInAsync(api, other);
        var theirs = OperatorBrowser.Hidden((await attacker.GetAsync("/console")).Text);
        foreach (var cookie in attacker.Cookies.Where(cookie => cookie.Name == "vtp-form"))
        {
            browser.Keep(cookie); // What a neighbouring host of the same domain could plant.
        }

        foreach (var token in new[] { theirs["form_token"], "forged", "" })
        {
            var page = await browser.PostAsync("/console/sign-out", new Dictionary<string, string>(StringComparer.Ordinal) { ["form_token"] = token });
            page.Status.Should().Be(HttpStatusCode.BadRequest);
            page.Text.Should().Contain("Nothing was done");
        }

        await browser.GetAsync("/console");
        browser.At.Should().Be("/console");

        using var visitor = new OperatorBrowser(api);
        (await visitor.PostAsync("/console/sign-in", ("email", one.Email), ("password", one.Password))).Status.Should().Be(HttpStatusCode.BadRequest, "nobody is signed in by another site");
    }

    [Fact]
    public async Task A_cookie_that_is_not_ours_makes_nobody()
    {
        using var browser = new OperatorBrowser(api);
        foreach (var value in new[] { "nonsense", "CfDJ8AAAA", new string('x', 3000) })
        {
            browser.Keep(new Cookie(SessionCookie, value, "/", api.Url.Host));
            (await browser.GetAsync("/console")).Status.Should().Be(HttpStatusCode.OK);
            browser.At.Should().StartWith("/console/sign-in");
        }
    }

    [Fact]
    public async Task Guesses_at_the_console_spend_the_budget_of_the_sign_in()
    {
        var limited = new LimitedApi();
        await limited.InitializeAsync();
        using var browser = new OperatorBrowser(limited);
        await browser.GetAsync("/console/sign-in");
        var statuses = new List<HttpStatusCode>();
        for (var guess = 0; guess < 8; guess++)
        {
            statuses.Add((await browser.PostAsync("/console/sign-in", ("email", "noor@school.example"), ("password", $"guess {guess}"))).Status);
        }

        statuses.Should().Contain(HttpStatusCode.TooManyRequests);
        (await limited.SignInAsync("noor@school.example", "one more")).Status.Should().Be(HttpStatusCode.TooManyRequests);
        await limited.DisposeAsync();
    }

    [Fact]
    public async Task Pages_load_nothing_from_elsewhere_and_are_kept_by_nobody()
    {
        using var browser = await OperatorBrowser.SignedInAsync(api, await api.RegisterAdministratorAsync());
        const string closed = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
        foreach (var (path, policy) in new[] { ("/console/sign-in", closed), ("/console", $"{closed}; script-src 'self'; connect-src 'self'") })
        {
            var page = await browser.GetAsync(path);
            string.Join(", ", page.Headers.GetValues("Content-Security-Policy")).Should().Be(policy);
            page.Headers.CacheControl!.NoStore.Should().BeTrue();
            page.Headers.GetValues("Referrer-Policy").Should().Equal("no-referrer");
            page.Text.Should().NotContain("style=").And.NotContain(" onclick");
            Regex.Matches(page.Text, "(?<=(href|src|action)=\")[^\"]*", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)).Select(match => match.Value)
                .Should().NotBeEmpty().And.OnlyContain(address => address.StartsWith('/') || address.StartsWith('#'));
        }
    }

    /// <summary>Signs in as a browser does, and shows the answer with what it sets.</summary>
    private static async Task<Answer> SubmitAsync(VtpApi api, Person person, params (string Name, string Value)[] headers)
    {
        var form = await api.SendAsync(HttpMethod.Get, "/console/sign-in", headers: headers);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/console/sign-in")
        {
            Content = new FormUrlEncodedContent(OperatorBrowser.Hidden(form.Text).Append(new("email", person.Email)).Append(new("password", person.Password))),
        };
        request.Headers.Add("Cookie", string.Join("; ", form.Headers.GetValues("Set-Cookie").Select(cookie => cookie.Split(';')[0])));
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        return await api.SendAsync(request);
    }

    private sealed class ProxiedApi : VtpApi
    {
        protected override IEnumerable<KeyValuePair<string, string>> Settings => [new("TrustedProxies", "127.0.0.1")];
    }

    private sealed class LimitedApi : VtpApi
    {
        protected override bool WithoutLimits => false;
    }
}
