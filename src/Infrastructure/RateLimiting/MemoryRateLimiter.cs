using Vtp.Application.Common;

namespace Vtp.Infrastructure.RateLimiting;

/// <summary>Each node counts by itself: where there is no Redis.</summary>
internal sealed class MemoryRateLimiter(RateLimitSettings settings, LocalBudgets budgets, RateLimitMetrics metrics) : IRateLimiter
{
    public RateLimitPolicy PolicyOf(string name) => settings.Policies[name];

    public ValueTask<RateLimitDecision> TakeAsync(RateLimitCharge[] charges, CancellationToken cancellationToken)
    {
        var decision = budgets.Decide(charges, isLook: false, nodes: 1);
        metrics.Decided(decision, RateLimitMetrics.OnNode);
        return ValueTask.FromResult(decision);
    }

    public ValueTask<RateLimitDecision> LookAsync(RateLimitCharge[] charges, CancellationToken cancellationToken) =>
        ValueTask.FromResult(budgets.Decide(charges, isLook: true, nodes: 1));
}
