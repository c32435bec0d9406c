using Microsoft.Extensions.Configuration;
using Vtp.Application.Common;
using Vtp.Infrastructure.RateLimiting;

namespace Vtp.Unit.Common;

public sealed class MemoryRateLimiterTests : IDisposable
{
    private readonly TestClock _clock = new();
    private readonly RateLimitMetrics _metrics = new();
    private readonly LocalBudgets _budgets;
    private readonly MemoryRateLimiter _limiter;
    private int _nodes = 1;

    // Five a minute, three more at once: four come through, then one each twelve seconds. Of the others eleven, one each second.
    public MemoryRateLimiterTests()
    {
        var settings = new RateLimitSettings(new ConfigurationBuilder().AddInMemoryCollection(
        [
            new("RateLimits:sign-in:Limit", "5"), new("RateLimits:sign-in:Burst", "3"),
            new("RateLimits:project:Limit", "60"), new("RateLimits:project:Burst", "10"),
        ]).Build());
        _budgets = new LocalBudgets(settings, _clock);
        _limiter = new MemoryRateLimiter(settings, _budgets, () => _nodes, _metrics);
    }

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public async Task A_burst_comes_through_and_then_an_even_pace()
    {
        for (var request = 0; request < 4; request++)
        {
            (await AcquireAsync()).IsAdmitted.Should().BeTrue();
        }

        var refused = await AcquireAsync();
        refused.IsAdmitted.Should().BeFalse();
        refused.RetryAfter.Should().Be(TimeSpan.FromSeconds(12));
    }

    [Fact]
    public async Task Who_waits_as_long_as_told_is_admitted_and_a_tick_less_is_not_enough()
    {
        await ExhaustAsync();
        var wait = (await AcquireAsync()).RetryAfter;

        _clock.Advance(wait - TimeSpan.FromTicks(1));
        (await AcquireAsync()).IsAdmitted.Should().BeFalse();
        _clock.Advance(TimeSpan.FromTicks(1));
        (await AcquireAsync()).IsAdmitted.Should().BeTrue();
        (await AcquireAsync()).IsAdmitted.Should().BeFalse();
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
        (await AcquireAsync("somebody else")).IsAdmitted.Should().BeTrue();
    }

    [Fact]
    public async Task Parallel_requests_are_counted_each()
    {
        var decisions = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => Task.Run(async () => await AcquireAsync())));
        decisions.Count(decision => decision.IsAdmitted).Should().Be(4);
    }

    [Fact]
    public async Task A_request_takes_from_all_of_its_budgets_or_from_none()
    {
        await ExhaustAsync();
        (await TakeAsync(Project(), SignIn())).States.Select(state => (state.Policy, state.Remaining, state.Wait))
            .Should().Equal(("project", 11, TimeSpan.Zero), ("sign-in", 0, TimeSpan.FromSeconds(12)));

        (await TakeAsync(Project())).States.Single().Remaining.Should().Be(10);
    }

    [Fact]
    public async Task Budgets_say_what_remains_and_when_there_will_be_more()
    {
        (await TakeAsync(Project(cost: 3))).States.Single().Should().Be(new RateLimitState("project", 8, TimeSpan.FromSeconds(1), TimeSpan.Zero));

        _clock.Advance(TimeSpan.FromMilliseconds(400));
        (await _limiter.LookAsync([Project()], default)).States.Single().UntilMore.Should().Be(TimeSpan.FromMilliseconds(600));

        _clock.Advance(TimeSpan.FromMinutes(1));
        (await _limiter.LookAsync([Project()], default)).States.Single().Should().Be(new RateLimitState("project", 11, TimeSpan.Zero, TimeSpan.Zero));
    }

    [Fact]
    public async Task What_costs_more_waits_longer_and_what_costs_more_than_there_is_takes_all()
    {
        (await TakeAsync(Project(cost: 10))).IsAdmitted.Should().BeTrue();
        (await TakeAsync(Project(cost: 5))).RetryAfter.Should().Be(TimeSpan.FromSeconds(4));
        _clock.Advance(TimeSpan.FromSeconds(4));
        (await TakeAsync(Project(cost: 5))).IsAdmitted.Should().BeTrue();

        _clock.Advance(TimeSpan.FromMinutes(1));
        (await TakeAsync(Project(cost: 1000))).States.Single().Remaining.Should().Be(0);
        _clock.Advance(TimeSpan.FromSeconds(11));
        (await TakeAsync(Project(cost: 1000))).IsAdmitted.Should().BeTrue();
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public void Nodes_that_cannot_ask_each_other_admit_together_what_one_would(int nodes)
    {
        var alone = AdmittedIn(TimeSpan.FromMinutes(10), nodes: 1, Project(), "of one");
        var together = Enumerable.Range(0, nodes).Sum(node => AdmittedIn(TimeSpan.FromMinutes(10), nodes, Project(), $"of node {node}"));

        together.Should().BeInRange((int)(alone * 0.98), alone);
    }

    [Fact]
    public async Task Where_there_are_several_nodes_and_no_Redis_each_has_its_share()
    {
        // Of eleven at once three are each node's, and then one each three seconds.
        _nodes = 3;
        (await TakeAsync(Project())).States.Single().Should().Be(new RateLimitState("project", 2, TimeSpan.FromSeconds(1), TimeSpan.Zero));
        (await _limiter.LookAsync([Project()], default)).States.Single().Remaining.Should().Be(2);

        _nodes = 1;
        (await _limiter.LookAsync([Project()], default)).States.Single().Remaining.Should().BeGreaterThan(2, "who is alone has all of it again");
    }

    [Fact]
    public void A_share_of_little_is_still_somebody_heard() =>
        AdmittedIn(TimeSpan.FromMinutes(10), nodes: 100, SignIn(), "somebody").Should().Be(1);

    [Fact]
    public async Task What_nobody_asked_for_in_a_while_is_forgotten_and_what_somebody_did_is_not()
    {
        // Each generation ends with a request after the horizon of 48 seconds.
        await ExhaustAsync();
        _clock.Advance(TimeSpan.FromSeconds(6));
        for (var other = 0; other < 20; other++)
        {
            await AcquireAsync($"somebody else {other}");
            (await AcquireAsync()).IsAdmitted.Should().Be(other % 2 == 1);
            _clock.Advance(TimeSpan.FromSeconds(6));
        }
    }

    private int AdmittedIn(TimeSpan time, int nodes, RateLimitCharge charge, string partition)
    {
        var admitted = 0;
        for (var passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromMilliseconds(250))
        {
            while (_budgets.Decide([charge with { Partition = partition }], isLook: false, nodes).IsAdmitted)
            {
                admitted++;
            }

            _clock.Advance(TimeSpan.FromMilliseconds(250));
        }

        return admitted;
    }

    private static RateLimitCharge Project(int cost = 1) => new(RateLimitPolicies.Project, "a project", cost);

    private static RateLimitCharge SignIn(string partition = "somebody") => new(RateLimitPolicies.SignIn, partition);

    private ValueTask<RateLimitDecision> TakeAsync(params RateLimitCharge[] charges) => _limiter.TakeAsync(charges, CancellationToken.None);

    private async Task ExhaustAsync()
    {
        while ((await AcquireAsync()).IsAdmitted)
        {
        }
    }

    private ValueTask<RateLimitDecision> AcquireAsync(string partition = "somebody") => TakeAsync(SignIn(partition));
}
