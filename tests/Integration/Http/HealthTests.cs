using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Http;

/// <summary>While all is well; <see cref="DatabaseAwayTests"/> has the other half.</summary>
public sealed class HealthTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Theory]
    [InlineData("*/*")]
    [InlineData("text/html")]
    [InlineData("nonsense;;q")]
    [InlineData(null)]
    public async Task Health_is_two_letters_for_probes(string? accept)
    {
        var health = accept is null ? await api.GetAsync("/health") : await api.SendAsync(HttpMethod.Get, "/health", headers: ("Accept", accept));

        health.Status.Should().Be(HttpStatusCode.OK);
        health.ContentHeaders.ContentType!.MediaType.Should().Be("text/plain");
        health.Text.Should().Be("OK");
    }

    [Fact]
    public async Task Health_is_json_for_who_asks_for_it()
    {
        var health = await api.SendAsync(HttpMethod.Get, "/health", headers: ("Accept", "application/json"));

        health.Status.Should().Be(HttpStatusCode.OK);
        health["status"].Should().Be("healthy");
        health["service"].Should().Be("vtp-platform");
        health.Body.GetProperty("database").GetBoolean().Should().BeTrue();
    }

    [Fact]
    public async Task Live_and_ready_say_healthy()
    {
        (await api.GetAsync("/health/live"))["status"].Should().Be("healthy");
        var ready = await api.GetAsync("/health/ready");
        ready.Status.Should().Be(HttpStatusCode.OK);
        ready["status"].Should().Be("healthy");
    }

    [Fact]
    public async Task Details_tell_what_the_process_uses_and_reaches()
    {
        var details = await api.GetAsync("/health/detailed");

        details.Status.Should().Be(HttpStatusCode.OK);
        details["status"].Should().Be("healthy");
        details["timestamp"].Should().EndWith("Z");
        details.Body.GetProperty("uptime").GetInt64().Should().BeGreaterOrEqualTo(0);
        details.Body.GetProperty("database").GetProperty("latency_ms").GetDouble().Should().BePositive();
        details.Body.GetProperty("memory").GetProperty("working_set_mb").GetDouble().Should().BePositive();
        details.Body.GetProperty("services").GetProperty("redis").GetString().Should().Be("not_configured");
        details.Text.Should().NotContain(new Npgsql.NpgsqlConnectionStringBuilder(api.ConnectionString).Database);
    }
}
