using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Http;

/// <summary>Two sites may use it, written as people write lists.</summary>
public sealed class CorsApi : VtpApi
{
    public const string Site = "https://app.example.com";

    protected override IEnumerable<KeyValuePair<string, string>> Settings => [new("ALLOWED_ORIGINS", $" {Site} , http://localhost:3000/,")];
}

public sealed class CorsTests(CorsApi api) : IClassFixture<CorsApi>
{
    [Theory]
    [InlineData(CorsApi.Site)]
    [InlineData("http://localhost:3000")]
    public async Task A_site_that_is_named_may_read_answers_and_refusals_alike(string site)
    {
        foreach (var (path, status) in new[] { ("auth/profile", HttpStatusCode.Unauthorized), ("projects?page=many", HttpStatusCode.BadRequest), ("limits", HttpStatusCode.OK), ("nothing", HttpStatusCode.NotFound) })
        {
            var answer = await api.SendAsync(HttpMethod.Get, path, null, null, ("Origin", site));

            answer.Status.Should().Be(status);
            Allowed(answer).Should().Equal(site);
            answer.Headers.GetValues("Access-Control-Allow-Credentials").Should().Equal("true");
            answer.Headers.Vary.Should().Contain("Origin");
            string.Join(',', answer.Headers.GetValues("Access-Control-Expose-Headers")).Split(',')
                .Should().Contain(["RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"]);
        }
    }

    [Fact]
    public async Task A_browser_is_told_in_advance_for_a_day_and_nothing_is_run()
    {
        var answer = await PreflightAsync(CorsApi.Site, "/api/v1/projects", "PATCH", "authorization,content-type,idempotency-key");

        answer.Status.Should().Be(HttpStatusCode.NoContent);
        Allowed(answer).Should().Equal(CorsApi.Site);
        answer.Headers.GetValues("Access-Control-Max-Age").Should().Equal("86400");
        answer.Headers.GetValues("Access-Control-Allow-Methods").Single().Should().Contain("PATCH").And.NotContain("*");
        answer.Headers.GetValues("Access-Control-Allow-Headers").Single().Should().Contain("Idempotency-Key").And.NotContain("*");
        answer.Headers.Should().NotContainKey("RateLimit");
    }

    [Theory]
    [InlineData("https://app.example.com.evil.example")]
    [InlineData("https://evil.example")]
    [InlineData("http://app.example.com")]
    [InlineData("https://app.example.com:8443")]
    [InlineData("null")]
    [InlineData("*")]
    [InlineData("not an origin")]
    public async Task A_site_that_is_not_named_gets_its_answer_and_its_browser_keeps_it_from_it(string site)
    {
        var answer = await api.SendAsync(HttpMethod.Get, "limits", null, null, ("Origin", site));
        answer.Status.Should().Be(HttpStatusCode.OK);
        Allowed(answer).Should().BeEmpty();

        var preflight = await PreflightAsync(site, "/api/v1/projects", "POST", "authorization");
        preflight.Status.Should().Be(HttpStatusCode.NoContent);
        Allowed(preflight).Should().BeEmpty();
    }

    [Fact]
    public async Task The_console_is_read_by_no_other_site()
    {
        foreach (var path in new[] { "/console/sign-in", "/forgot-password", "/health" })
        {
            Allowed(await api.SendAsync(HttpMethod.Get, path, null, null, ("Origin", CorsApi.Site))).Should().BeEmpty(path);
        }
    }

    private static IEnumerable<string> Allowed(Answer answer) => answer.Headers.TryGetValues("Access-Control-Allow-Origin", out var values) ? values : [];

    private Task<Answer> PreflightAsync(string site, string path, string method, string headers) => api.SendAsync(
        HttpMethod.Options, path, null, null, ("Origin", site), ("Access-Control-Request-Method", method), ("Access-Control-Request-Headers", headers));
}
