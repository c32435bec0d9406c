using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Observability;

/// <summary>Without an internal port the page is on the public one, for administrators and for who holds the token.</summary>
public sealed class MetricsAccessTests(MetricsAccessTests.Api api) : IClassFixture<MetricsAccessTests.Api>
{
    private const string Token = "scrape-token-0123456789";

    [Fact]
    public async Task Numbers_are_for_administrators_and_for_who_holds_the_token()
    {
        var admin = await api.RegisterAdministratorAsync();
        var person = await api.RegisterAsync();

        (await GetAsync(null)).Should().Be(HttpStatusCode.Unauthorized);
        (await GetAsync("wrong-token-0123456789")).Should().Be(HttpStatusCode.Unauthorized);
        (await GetAsync(Token[..^1])).Should().Be(HttpStatusCode.Unauthorized);
        (await GetAsync(person.AccessToken)).Should().Be(HttpStatusCode.Forbidden);
        (await GetAsync(admin.AccessToken)).Should().Be(HttpStatusCode.OK);
        (await GetAsync(Token)).Should().Be(HttpStatusCode.OK);
    }

    private async Task<HttpStatusCode> GetAsync(string? bearer)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        if (bearer is not null)
        {
            request.Headers.Authorization = new("Bearer", bearer);
        }

        using var response = await api.Http.SendAsync(request);
        if (response.IsSuccessStatusCode)
        {
            response.Headers.CacheControl!.NoStore.Should().BeTrue();
            (await response.Content.ReadAsStringAsync()).Should().Contain("# TYPE process_cpu_seconds_total counter");
        }

        return response.StatusCode;
    }

    public sealed class Api : VtpApi
    {
        protected override IEnumerable<KeyValuePair<string, string>> Settings => [new("Metrics:Token", Token)];
    }
}
