using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Http;

/// <summary>Behind a proxy that ends TLS.</summary>
public sealed class ProxiedApi : VtpApi
{
    protected override IEnumerable<KeyValuePair<string, string>> Settings => [new("TrustedProxies", "127.0.0.1")];
}

public sealed class SecurityHeaderTests(ProxiedApi api) : IClassFixture<ProxiedApi>
{
    private static readonly Dictionary<string, string> Strict = new(StringComparer.OrdinalIgnoreCase)
    {
        ["X-Content-Type-Options"] = "nosniff",
        ["X-Frame-Options"] = "DENY",
        ["Referrer-Policy"] = "no-referrer",
        ["Permissions-Policy"] = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()",
        ["Cross-Origin-Opener-Policy"] = "same-origin",
        ["Cross-Origin-Resource-Policy"] = "same-origin",
    };

    [Theory]
    [InlineData("/health/live", HttpStatusCode.OK)]
    [InlineData("/openapi/v1.json", HttpStatusCode.OK)]
    [InlineData("/.well-known/jwks.json", HttpStatusCode.OK)]
    [InlineData("/api/v1/auth/profile", HttpStatusCode.Unauthorized)]
    [InlineData("/api/v1/nothing", HttpStatusCode.NotFound)]
    [InlineData("/api/v1/auth/login", HttpStatusCode.MethodNotAllowed)]
    [InlineData("/api/v1/projects?page=many", HttpStatusCode.BadRequest)]
    [InlineData("/api/v1/audit-logs?action=%00", HttpStatusCode.BadRequest)]
    [InlineData("/swagger/index.html", HttpStatusCode.OK)]
    [InlineData("/swagger", HttpStatusCode.MovedPermanently)]
    [InlineData("/forgot-password", HttpStatusCode.OK)]
    [InlineData("/console", HttpStatusCode.Found)]
    [InlineData("/console/site.css", HttpStatusCode.OK)]
    public async Task Every_answer_has_the_one_strict_set(string path, HttpStatusCode status)
    {
        var answer = await api.GetAsync(path);

        answer.Status.Should().Be(status, answer.Text);
        foreach (var (name, value) in Strict)
        {
            answer.Headers.GetValues(name).Should().Equal([value], name);
        }

        var policy = answer.Headers.GetValues("Content-Security-Policy").Should().ContainSingle().Subject;
        policy.Should().StartWith("default-src 'none';").And.Contain("frame-ancestors 'none'").And.Contain("base-uri 'none'");
        policy.Should().NotContain("unsafe-eval").And.NotContain("*").And.NotContain("http").And.NotMatchRegex("script-src [^;]*unsafe");
        answer.Headers.Should().NotContainKey("Server").And.NotContainKey("X-Powered-By");
        answer.Headers.Should().NotContainKey("Strict-Transport-Security", "over http it means nothing");
    }

    [Theory]
    [InlineData("/health/live")]
    [InlineData("/api/v1/nothing")]
    [InlineData("/api/v1/projects?page=many")]
    public async Task Whoever_came_over_https_is_told_to_stay_there(string path)
    {
        var answer = await api.SendAsync(HttpMethod.Get, path, null, null, ("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "203.0.113.7"));

        answer.Headers.GetValues("Strict-Transport-Security").Should().Equal("max-age=31536000");
    }

    [Fact]
    public async Task Nothing_that_anybody_may_not_read_is_compressed_with_what_they_send()
    {
        var person = await api.RegisterAsync();

        var answer = await api.SendAsync(HttpMethod.Get, "auth/profile", null, person.AccessToken, ("Accept-Encoding", "gzip, br"));

        answer.Status.Should().Be(HttpStatusCode.OK);
        answer.ContentHeaders.ContentEncoding.Should().BeEmpty();
    }
}
