using Vtp.Application.Common;

namespace Vtp.Infrastructure.RateLimiting;

/// <summary>Where there is no Redis each node counts by itself: all of a budget when it is alone, else its share.</summary>
/// <param name="nodes">How many there are, as far as this one knows.</param>
internal sealed class MemoryRateLimiter(RateLimitSettings settings, LocalBudgets budgets, Func<int> nodes, RateLimitMetrics metrics) : IRateLimiter
{
    public RateLimitPolicy PolicyOf(string name) => settings.Policies[name];

    public ValueTask<RateLimitDecision> TakeAsync(RateLimitCharge[] charges, CancellationToken cancellationToken)
    {
        var count = nodes();
        var decision = budgets.Decide(charges, isLook: false, count);
        metrics.Decided(decision, count == 1 ? RateLimitMetrics.OnNode : RateLimitMetrics.OnShare);
        return ValueTask.FromResult(decision);
    }

    public ValueTask<RateLimitDecision> LookAsync(RateLimitCharge[] charges, CancellationToken cancellationToken) =>
        ValueTask.FromResult(budgets.Decide(charges, isLook: true, nodes()));
}
