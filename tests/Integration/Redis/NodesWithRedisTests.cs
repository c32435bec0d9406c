using System.Diagnostics;
using System.Net;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Redis;

/// <summary>Two whole servers beside each other, with a Redis that is well, dead or silent.</summary>
public sealed class NodesWithRedisTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Theory]
    [InlineData("well")]
    [InlineData("killed")]
    [InlineData("frozen")]
    public async Task A_session_or_key_that_ends_on_one_node_is_refused_by_the_other_within_two_seconds(string state)
    {
        await using var redis = await RedisProcess.StartAsync();
        await using var one = await SecondNode.BesideAsync(api, ("ConnectionStrings:Redis", redis.ConnectionString));
        await using var other = await SecondNode.BesideAsync(api, ("ConnectionStrings:Redis", redis.ConnectionString));
        var school = await one.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();
        var person = await one.RegisterAsync();
        var there = person with { Api = other };
        (await there.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.OK);
        (await other.GetWithKeyAsync(project.Path, project.Secret)).Status.Should().Be(HttpStatusCode.OK);
        await (state switch
        {
            "killed" => redis.KillAsync(),
            "frozen" => redis.FreezeAsync(),
            _ => Task.CompletedTask,
        });

        (await person.PostAsync("auth/logout-all")).Status.Should().Be(HttpStatusCode.OK);
        var ended = Stopwatch.GetTimestamp();
        await VtpApi.UntilAsync(async () => (await there.GetAsync("auth/profile")).Status == HttpStatusCode.Unauthorized, "the session to be refused");
        Stopwatch.GetElapsedTime(ended).Should().BeLessThan(TimeSpan.FromSeconds(2));

        (await school.Owner.DeleteAsync(project.Path)).Status.Should().Be(HttpStatusCode.OK);
        ended = Stopwatch.GetTimestamp();
        await VtpApi.UntilAsync(async () => (await other.GetWithKeyAsync(project.Path, project.Secret)).Status == HttpStatusCode.Unauthorized, "the key to be refused");
        Stopwatch.GetElapsedTime(ended).Should().BeLessThan(TimeSpan.FromSeconds(2));

        var isWell = state == "well";
        await VtpApi.UntilAsync(async () => (await one.GetAsync("/health/detailed")).Body.GetProperty("services").GetProperty("redis").GetString() == (isWell ? "healthy" : "unhealthy"), "the state of Redis to be told");
        var health = await one.GetAsync("/health/detailed");
        (health.Status, health["status"]).Should().Be((HttpStatusCode.OK, isWell ? "healthy" : "degraded"));
    }

    [Theory]
    [InlineData("well")]
    [InlineData("killed")]
    [InlineData("frozen")]
    public async Task A_change_on_one_node_is_seen_on_the_other_and_at_once_where_it_was_made(string state)
    {
        await using var redis = await RedisProcess.StartAsync();
        await using var one = await SecondNode.BesideAsync(api, ("ConnectionStrings:Redis", redis.ConnectionString));
        await using var other = await SecondNode.BesideAsync(api, ("ConnectionStrings:Redis", redis.ConnectionString));
        var school = await one.FoundSchoolAsync();
        var project = await school.CreateProjectAsync("Name 0");
        await (state switch
        {
            "killed" => redis.KillAsync(),
            "frozen" => redis.FreezeAsync(),
            _ => Task.CompletedTask,
        });
        for (var turn = 1; turn <= 5; turn++)
        {
            (await NameAsync(other)).Should().Be($"Name {turn - 1}");
            (await school.Owner.PutAsync(project.Path, new { name = $"Name {turn}" })).Status.Should().Be(HttpStatusCode.OK);
            (await NameAsync(one)).Should().Be($"Name {turn}");
            await VtpApi.UntilAsync(async () => await NameAsync(other) == $"Name {turn}", "the other node to show it");
        }

        async Task<string> NameAsync(VtpApi node) => (await node.GetWithKeyAsync(project.Path, project.Secret))["name"];
    }
}
