using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Configuration;
using Vtp.Application.Common;
using Vtp.Infrastructure.RateLimiting;

namespace Vtp.Benchmarks.Micro;

/// <summary>One decision about one caller among many.</summary>
public class RateLimiterBenchmarks : IDisposable
{
    private const int Callers = 10_000;

    private readonly RateLimitMetrics _metrics = new();
    private readonly string[] _callers = [.. Enumerable.Range(0, Callers).Select(index => $"203.0.{index / 256}.{index % 256}")];
    private readonly MemoryRateLimiter _limiter;
    private int _turn;

    public RateLimiterBenchmarks()
    {
        var settings = new RateLimitSettings(new ConfigurationBuilder().Build());
        _limiter = new MemoryRateLimiter(settings, new LocalBudgets(settings, TimeProvider.System), () => 1, _metrics);
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _metrics.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(Description = "rate limiter, one decision")]
    public ValueTask<RateLimitDecision> TakeAsync() =>
        _limiter.TakeAsync([new RateLimitCharge(RateLimitPolicies.Refresh, Next())], CancellationToken.None);

    [Benchmark(Description = "rate limiter, one decision about a key and its project")]
    public ValueTask<RateLimitDecision> TakeBothAsync() => _limiter.TakeAsync(
        [new RateLimitCharge(RateLimitPolicies.Key, Next()), new RateLimitCharge(RateLimitPolicies.Project, "a project")], CancellationToken.None);

    private string Next() => _callers[_turn = (_turn + 1) % Callers];
}
