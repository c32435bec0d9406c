using System.Net;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Http;

/// <summary>A server on which time gives nothing back while a test runs.</summary>
public sealed class SlowRefillApi : DoorApi
{
    protected override IEnumerable<KeyValuePair<string, string>> Settings => [.. base.Settings, new("RateLimits:user:Period", "10:00:00")];
}

public sealed class RequestCostTests(SlowRefillApi api) : IClassFixture<SlowRefillApi>
{
    [Fact]
    public async Task A_request_that_does_more_counts_for_more()
    {
        var school = await api.FoundSchoolAsync();
        var before = ToldLimit.Of(await school.Owner.GetAsync(school.Path)).Single().Remaining;

        var exported = await school.Owner.GetAsync($"{school.Path}/export");

        exported.Status.Should().Be(HttpStatusCode.OK);
        ToldLimit.Of(exported).Single().Remaining.Should().Be(before - 10);
    }
}
