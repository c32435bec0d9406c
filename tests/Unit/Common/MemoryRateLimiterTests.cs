using Microsoft.Extensions.Configuration;
using Vtp.Application.Common;
using Vtp.Infrastructure.RateLimiting;

namespace Vtp.Unit.Common;

public sealed class MemoryRateLimiterTests
{
    private readonly TestClock _clock = new();
    private readonly MemoryRateLimiter _limiter;

    // Five a minute, three more at once: four come through, then one each twelve seconds.
    public MemoryRateLimiterTests() => _limiter = new MemoryRateLimiter(
        new ConfigurationBuilder().AddInMemoryCollection([new("RateLimits:sign-in:Limit", "5"), new("RateLimits:sign-in:Burst", "3")]).Build(), _clock);

    [Fact]
    public async Task A_burst_comes_through_and_then_an_even_pace()
    {
        for (var request = 0; request < 4; request++)
        {
            (await AcquireAsync()).Admitted.Should().BeTrue();
        }

        var refused = await AcquireAsync();
        refused.Admitted.Should().BeFalse();
        refused.RetryAfter.Should().Be(TimeSpan.FromSeconds(12));
    }

    [Fact]
    public async Task Who_waits_as_long_as_told_is_admitted_and_a_tick_less_is_not_enough()
    {
        await ExhaustAsync();
        var wait = (await AcquireAsync()).RetryAfter;

        _clock.Advance(wait - TimeSpan.FromTicks(1));
        (await AcquireAsync()).Admitted.Should().BeFalse();
        _clock.Advance(TimeSpan.FromTicks(1));
        (await AcquireAsync()).Admitted.Should().BeTrue();
        (await AcquireAsync()).Admitted.Should().BeFalse();
    }

    [Fact]
    public async Task Refused_requests_cost_nothing()
    {
        await ExhaustAsync();
        for (var request = 0; request < 1000; request++)
        {
            (await AcquireAsync()).RetryAfter.Should().Be(TimeSpan.FromSeconds(12));
        }
    }

    [Fact]
    public async Task Each_partition_has_its_own_budget()
    {
        await ExhaustAsync();
        (await AcquireAsync("somebody else")).Admitted.Should().BeTrue();
    }

    [Fact]
    public async Task Parallel_requests_are_counted_each()
    {
        var decisions = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => Task.Run(async () => await AcquireAsync())));
        decisions.Count(decision => decision.Admitted).Should().Be(4);
    }

    private async Task ExhaustAsync()
    {
        while ((await AcquireAsync()).Admitted)
        {
        }
    }

    private ValueTask<RateLimitDecision> AcquireAsync(string partition = "somebody") =>
        _limiter.AcquireAsync(RateLimitPolicies.SignIn, partition, CancellationToken.None);
}
