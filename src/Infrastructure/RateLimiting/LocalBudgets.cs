using Vtp.Application.Common;

namespace Vtp.Infrastructure.RateLimiting;

/// <summary>The budgets that this process counts for itself.</summary>
internal sealed class LocalBudgets
{
    private readonly TimeProvider _clock;
    private readonly Dictionary<string, BudgetTable> _tables;

    // One for all: several budgets are taken from together or not at all, and nothing in here takes a microsecond.
    private readonly Lock _lock = new();

    public LocalBudgets(RateLimitSettings settings, TimeProvider clock)
    {
        _clock = clock;
        _tables = settings.Policies.ToDictionary(
            policy => policy.Key, policy => new BudgetTable(Budget.Of(policy.Value, clock.TimestampFrequency)), StringComparer.Ordinal);
    }

    /// <param name="charges">What to take, each of another budget.</param>
    /// <param name="isLook">Says what would come of it and takes nothing.</param>
    /// <param name="nodes">Of so many nodes this one has its share; 1 for all of the budgets.</param>
    public RateLimitDecision Decide(RateLimitCharge[] charges, bool isLook, int nodes)
    {
        var states = new RateLimitState[charges.Length];
        var now = _clock.GetTimestamp();
        lock (_lock)
        {
            var isRefused = false;
            foreach (var charge in charges)
            {
                var table = _tables[charge.Policy];
                isRefused |= Of(table, nodes).Wait(table.WholeAgainAt(charge.Partition), now, charge.Cost) > 0;
            }

            for (var index = 0; index < charges.Length; index++)
            {
                var (charge, table) = (charges[index], _tables[charges[index].Policy]);
                var (budget, wholeAgainAt) = (Of(table, nodes), table.WholeAgainAt(charge.Partition));
                if (!isRefused && !isLook)
                {
                    wholeAgainAt = Math.Max(wholeAgainAt, now) + budget.CostOf(charge.Cost);
                    table.Keep(charge.Partition, wholeAgainAt, now, budget.Horizon);
                }

                states[index] = budget.State(charge, wholeAgainAt, now, isRefused, _clock.TimestampFrequency);
            }
        }

        return new RateLimitDecision(states);
    }

    private static Budget Of(BudgetTable table, int nodes) => nodes == 1 ? table.Budget : table.Budget.Share(nodes);
}
