using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Configuration;
using Vtp.Application.Common;
using Vtp.Infrastructure.RateLimiting;

namespace Vtp.Benchmarks.Micro;

/// <summary>One decision about one caller among many.</summary>
public class RateLimiterBenchmarks
{
    private const int Callers = 10_000;

    private readonly MemoryRateLimiter _limiter = new(new ConfigurationBuilder().Build(), TimeProvider.System);
    private readonly string[] _callers = [.. Enumerable.Range(0, Callers).Select(index => $"203.0.{index / 256}.{index % 256}")];
    private int _turn;

    [Benchmark(Description = "rate limiter, one decision")]
    public ValueTask<RateLimitDecision> AcquireAsync()
    {
        _turn = (_turn + 1) % Callers;
        return _limiter.AcquireAsync(RateLimitPolicies.Refresh, _callers[_turn], CancellationToken.None);
    }
}
