using System.Net;
using Vtp.Application.Common;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tracker;

/// <summary>Peers of the field announce all that they have when they start, and take no refusal for an answer.</summary>
public sealed class HasteTests(HasteTests.SlowApi api) : IClassFixture<HasteTests.SlowApi>
{
    [Fact]
    public async Task Announcements_that_come_too_early_wait_and_are_refused_only_when_that_would_be_long()
    {
        var (peer, other) = (await TestPeer.New(api).RegisteredAsync(), await TestPeer.New(api).RegisteredAsync());

        var announcing = Enumerable.Range(0, 14).Select(_ => peer.AnnounceAsync(TestFile.New())).ToList();
        (await other.AnnounceAsync(TestFile.New())).Status.Should().Be(HttpStatusCode.OK, "each peer has a budget of its own");
        var answers = await Task.WhenAll(announcing);

        // Three at once, and one each second for five seconds.
        answers.Count(answer => answer.Status == HttpStatusCode.OK).Should().BeInRange(4, 9);
        foreach (var refused in answers.Where(answer => answer.Status != HttpStatusCode.OK))
        {
            refused.ShouldBeProblem(HttpStatusCode.TooManyRequests, "rate_limit.exceeded");
            refused.Headers.RetryAfter!.Delta.Should().BeGreaterThan(TimeSpan.Zero);
        }

        var listed = (await peer.GetAsync("files")).Body.GetProperty("files").GetArrayLength();
        listed.Should().Be(answers.Count(answer => answer.Status == HttpStatusCode.OK) + 1, "what was refused was not taken");
    }

    public sealed class SlowApi : TrackerApi
    {
        protected override bool WithoutLimits => false;

        protected override IEnumerable<KeyValuePair<string, string>> Settings =>
        [
            .. base.Settings,
            new($"RateLimits:{RateLimitPolicies.TrackerAnnounce}:Limit", "1"),
            new($"RateLimits:{RateLimitPolicies.TrackerAnnounce}:Burst", "2"),
        ];
    }
}
