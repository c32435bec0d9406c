using System.Collections.Concurrent;
using Microsoft.Extensions.Configuration;
using Vtp.Application.Common;

namespace Vtp.Infrastructure.RateLimiting;

/// <summary>
/// GCRA (ITU-T I.371): each partition is one number, the time at which its budget is whole again. Admits a burst at
/// once, then an even pace, and knows to the tick when the next request will be admitted.
/// </summary>
internal sealed class MemoryRateLimiter : IRateLimiter
{
    private const int SweepEvery = 4096;

    private readonly TimeProvider _clock;
    private readonly Dictionary<string, RateLimitPolicy> _policies;
    private readonly ConcurrentDictionary<(string Policy, string Partition), long> _wholeAgainAt = new();
    private int _calls;

    public MemoryRateLimiter(IConfiguration configuration, TimeProvider clock)
    {
        _clock = clock;
        _policies = RateLimitPolicies.Defaults.ToDictionary(
            policy => policy.Key,
            policy => Configured(configuration.GetSection($"RateLimits:{policy.Key}"), policy.Value),
            StringComparer.Ordinal);
    }

    public RateLimitScope ScopeOf(string policy) => _policies[policy].Scope;

    public ValueTask<RateLimitDecision> AcquireAsync(string policy, string partition, CancellationToken cancellationToken)
    {
        var now = _clock.GetTimestamp();
        if (Interlocked.Increment(ref _calls) % SweepEvery == 0)
        {
            Sweep(now);
        }

        var limit = _policies[policy];
        var interval = Ticks(limit.Period) / limit.Limit;
        var tolerance = interval * limit.Burst;
        var key = (policy, partition);
        while (true)
        {
            var known = _wholeAgainAt.TryGetValue(key, out var wholeAgainAt);
            var start = Math.Max(known ? wholeAgainAt : now, now);
            if (start - now > tolerance)
            {
                var wait = TimeSpan.FromSeconds((double)(start - now - tolerance) / _clock.TimestampFrequency);
                return ValueTask.FromResult(new RateLimitDecision(false, wait));
            }

            var next = start + interval;
            if (known ? _wholeAgainAt.TryUpdate(key, next, wholeAgainAt) : _wholeAgainAt.TryAdd(key, next))
            {
                return ValueTask.FromResult(new RateLimitDecision(true, TimeSpan.Zero));
            }
        }
    }

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

    private long Ticks(TimeSpan time) => (long)(time.TotalSeconds * _clock.TimestampFrequency);

    /// <summary>Partitions whose budget is whole are as good as new; forgetting them keeps memory to those in use.</summary>
    private void Sweep(long now)
    {
        foreach (var partition in _wholeAgainAt.Where(partition => partition.Value <= now))
        {
            _wholeAgainAt.TryRemove(partition);
        }
    }
}
