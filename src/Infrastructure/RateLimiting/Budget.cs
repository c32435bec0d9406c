using Microsoft.Extensions.Configuration;
using Vtp.Application.Common;

namespace Vtp.Infrastructure.RateLimiting;

/// <summary>
/// One policy as GCRA (ITU-T I.371) sees it, in ticks of some clock: each partition is one number, the time at which its
/// budget is whole again. Admits a burst at once, then an even pace, and knows to the tick when the next request will be.
/// </summary>
/// <param name="Interval">What one request costs.</param>
/// <param name="Tolerance">How far ahead of the clock a budget may be spent, with which one more request is admitted.</param>
internal sealed record Budget(long Interval, long Tolerance)
{
    /// <summary>After this long without a request any budget is whole.</summary>
    public long Horizon => Interval + Tolerance;

    public static Budget Of(RateLimitPolicy policy, long ticksPerSecond)
    {
        var interval = Math.Max(1, (long)(policy.Period.TotalSeconds * ticksPerSecond / policy.Limit));
        return new(interval, interval * policy.Burst);
    }

    /// <summary>
    /// For one of so many nodes that cannot ask each other: at its share of the pace, and of what may come at once so much
    /// that all together admit no more than one would. At least one request, or nobody were heard.
    /// </summary>
    public Budget Share(int nodes) => new(Interval * nodes, Math.Max(0, Tolerance - (Interval * (nodes - 1))));

    /// <summary>A budget smaller than what a request costs is spent whole by it.</summary>
    public long CostOf(int requests) => Math.Min(Interval * requests, Horizon);

    public long Wait(long wholeAgainAt, long now, int requests) =>
        Math.Max(0, Math.Max(wholeAgainAt, now) + CostOf(requests) - Interval - now - Tolerance);

    public int Remaining(long wholeAgainAt, long now)
    {
        var left = now + Tolerance - Math.Max(wholeAgainAt, now);
        return left < 0 ? 0 : (int)Math.Min(int.MaxValue, (left / Interval) + 1);
    }

    public long UntilMore(long wholeAgainAt, long now) =>
        wholeAgainAt <= now ? 0 : wholeAgainAt - Tolerance + (Remaining(wholeAgainAt, now) * Interval) - now;

    public RateLimitState State(RateLimitCharge charge, long wholeAgainAt, long now, bool isRefused, long ticksPerSecond) => new(
        charge.Policy,
        Remaining(wholeAgainAt, now),
        Time(UntilMore(wholeAgainAt, now), ticksPerSecond),
        isRefused ? Time(Wait(wholeAgainAt, now, charge.Cost), ticksPerSecond) : TimeSpan.Zero);

    /// <summary>Rounded up: who waits less comes too early.</summary>
    private static TimeSpan Time(long ticks, long ticksPerSecond) => new((long)Math.Ceiling(ticks * ((double)TimeSpan.TicksPerSecond / ticksPerSecond)));
}

/// <summary>Every policy as configured.</summary>
public sealed class RateLimitSettings(IConfiguration configuration)
{
    public IReadOnlyDictionary<string, RateLimitPolicy> Policies { get; } = RateLimitPolicies.Defaults.ToDictionary(
        policy => policy.Key,
        policy => Configured(configuration.GetSection($"RateLimits:{policy.Key}"), policy.Value),
        StringComparer.Ordinal);

    private static RateLimitPolicy Configured(IConfigurationSection section, RateLimitPolicy fallback)
    {
        var policy = fallback with
        {
            Limit = section.GetValue("Limit", fallback.Limit),
            Period = section.GetValue("Period", fallback.Period),
            Burst = section.GetValue("Burst", fallback.Burst),
        };
        return policy is { Limit: >= 1, Burst: >= 0 } && policy.Period > TimeSpan.Zero
            ? policy
            : throw new StartupFault($"{section.Path} needs a Limit of 1 or more, a Period above zero and a Burst of 0 or more.");
    }
}
