using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Http;

public sealed class DatabaseAwayTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task While_the_database_is_away_requests_are_503_and_health_says_so_and_afterwards_all_is_well()
    {
        var person = await api.RegisterAsync();
        await using (await DatabaseAway.FromAsync(api))
        {
            foreach (var answer in new[]
            {
                await person.GetAsync("auth/profile"),
                await api.SignInAsync(person.Email, person.Password),
                await api.PostAsync("auth/forgot-password", new { email = person.Email }),
            })
            {
                answer.ShouldBeProblem(HttpStatusCode.ServiceUnavailable, "server.database_away");
                answer.Headers.RetryAfter!.Delta.Should().BePositive();
            }

            (await api.GetAsync("/health/live")).Status.Should().Be(HttpStatusCode.OK);
            var health = await api.GetAsync("/health");
            health.Status.Should().Be(HttpStatusCode.ServiceUnavailable);
            health.Text.Should().Be("UNAVAILABLE");
            var ready = await api.GetAsync("/health/ready");
            ready.Status.Should().Be(HttpStatusCode.ServiceUnavailable);
            ready["status"].Should().Be("unhealthy");
            var details = await api.GetAsync("/health/detailed");
            details.Status.Should().Be(HttpStatusCode.ServiceUnavailable);
            details.Body.GetProperty("database").GetProperty("latency_ms").ValueKind.Should().Be(System.Text.Json.JsonValueKind.Null);
        }

        (await person.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.OK);
        (await api.GetAsync("/health")).Text.Should().Be("OK");
    }

    [Fact]
    public async Task A_connection_that_breaks_is_not_the_clients_business_for_longer_than_one_request()
    {
        var person = await api.RegisterAsync();
        await DatabaseAway.BreakConnectionsAsync(api);

        await VtpApi.UntilAsync(async () => (await person.GetAsync("auth/profile")).Status == HttpStatusCode.OK, "new connections");
    }
}
