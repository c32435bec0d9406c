using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Http;

public sealed class CacheTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task Statistics_are_kept_for_half_a_minute_or_until_a_command_that_changes_them()
    {
        var administrator = await api.RegisterAdministratorAsync();
        var before = await TotalAsync();

        // Behind the server's back, so that only the cache can tell.
        await api.QueryAsync<int>("UPDATE accounts SET role = 'teacher' WHERE id = $1", (await api.RegisterAsync()).UserId);
        (await TotalAsync()).Should().Be(before + 1, "registration names the tag of the statistics");
        await api.QueryAsync<int>("DELETE FROM accounts WHERE role = 'teacher'");
        (await TotalAsync()).Should().Be(before + 1, "nobody told the cache");

        api.Clock.Advance(TimeSpan.FromSeconds(30));
        (await TotalAsync()).Should().Be(before, "the time is over");

        var refused = await administrator.PostAsync("admin/users", new { email = "nobody", full_name = "Nobody", role = "teacher" });
        refused.Status.Should().Be(HttpStatusCode.BadRequest);
        await administrator.PostAsync("admin/users", new { email = Intents.NewAddress(), full_name = "Somebody", role = "teacher" });
        (await TotalAsync()).Should().Be(before + 1);

        async Task<int> TotalAsync() => (await administrator.GetAsync("admin/stats")).Body.GetProperty("total_users").GetInt32();
    }

    [Fact]
    public async Task What_is_cached_for_one_is_still_refused_to_another()
    {
        var (administrator, person) = (await api.RegisterAdministratorAsync(), await api.RegisterAsync());
        (await administrator.GetAsync("admin/stats")).Status.Should().Be(HttpStatusCode.OK);

        (await person.GetAsync("admin/stats")).ShouldBeProblem(HttpStatusCode.Forbidden, "auth.forbidden");
        (await api.GetAsync("admin/stats")).ShouldBeProblem(HttpStatusCode.Unauthorized, "auth.required");
    }
}
