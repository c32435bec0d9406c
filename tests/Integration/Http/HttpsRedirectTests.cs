using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Http;

/// <summary>Told to redirect, behind a proxy whose word counts only from 127.0.0.2.</summary>
public sealed class RedirectingApi : VtpApi
{
    protected override IEnumerable<KeyValuePair<string, string>> Settings =>
        [new("RedirectToHttps", "true"), new("PublicUrl", "https://vtp.example.com"), new("TrustedProxies", "127.0.0.2")];
}

/// <summary>Told to redirect, behind a proxy that is believed.</summary>
public sealed class RedirectingProxiedApi : VtpApi
{
    protected override IEnumerable<KeyValuePair<string, string>> Settings =>
        [new("RedirectToHttps", "true"), new("PublicUrl", "https://vtp.example.com:8443/"), new("TrustedProxies", "127.0.0.1")];
}

public sealed class HttpsRedirectTests(RedirectingApi api, RedirectingProxiedApi proxied) : IClassFixture<RedirectingApi>, IClassFixture<RedirectingProxiedApi>
{
    [Theory]
    [InlineData("GET", "/api/v1/events?after=1&types=a%20b")]
    [InlineData("POST", "/api/v1/auth/login")]
    [InlineData("GET", "/console")]
    [InlineData("GET", "//evil.example/%0D%0AX: y")]
    public async Task Whoever_comes_over_http_is_sent_to_the_public_url_and_nowhere_else(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(api.Url.GetLeftPart(UriPartial.Authority) + path));
        request.Headers.Host = "evil.example";
        request.Headers.TryAddWithoutValidation("X-Forwarded-Host", "evil.example");
        var answer = await api.SendAsync(request);

        answer.Status.Should().Be(HttpStatusCode.PermanentRedirect, "the method and the body stay as they are");
        answer.Headers.Location!.Host.Should().Be("vtp.example.com");
        answer.Headers.Location.OriginalString.Should().Be($"https://vtp.example.com{path.Replace(" ", "%20", StringComparison.Ordinal)}");
        answer.Headers.GetValues("X-Content-Type-Options").Should().Equal("nosniff");
    }

    [Fact]
    public async Task Whoever_came_over_https_to_a_trusted_proxy_is_served()
    {
        (await FromProxyAsync(proxied, "https")).Status.Should().Be(HttpStatusCode.OK);

        var redirected = await FromProxyAsync(proxied, "http");
        redirected.Status.Should().Be(HttpStatusCode.PermanentRedirect);
        redirected.Headers.Location.Should().Be("https://vtp.example.com:8443/api/v1/limits");
    }

    [Fact]
    public async Task A_proxy_that_nobody_named_does_not_send_its_clients_round_in_circles()
    {
        (await FromProxyAsync(api, "https")).Status.Should().Be(HttpStatusCode.OK);

        api.Log.Should().Contain(line => line.StartsWith("Warning A proxy that TrustedProxies does not name", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Probes_are_answered_where_they_ask() => (await api.GetAsync("/health/live")).Status.Should().Be(HttpStatusCode.OK);

    private static Task<Answer> FromProxyAsync(VtpApi server, string scheme) =>
        server.SendAsync(HttpMethod.Get, "limits", null, null, ("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Proto", scheme));
}
