using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Performance;

/// <summary>How the node that answers does: response times, throughput, database, cache, memory and errors since it started.</summary>
[Requires(Permission.Operate)]
public sealed record GetPerformanceMetricsQuery : IQuery<PerformanceMetrics>;

/// <param name="Node">The node that answers; each has numbers of its own.</param>
/// <param name="Since">When it began to count.</param>
/// <param name="Uptime">Seconds since then.</param>
/// <param name="ActiveConnections">That clients hold open; null while unknown.</param>
public sealed record PerformanceMetrics(
    string Node,
    DateTimeOffset Since,
    long Uptime,
    ResponseTimes ResponseTime,
    Throughput Throughput,
    DatabasePerformance Database,
    CachePerformance Cache,
    RateLimitPerformance RateLimits,
    MemoryPerformance Memory,
    GcPerformance Gc,
    CpuPerformance Cpu,
    int Threads,
    long? ActiveConnections,
    ErrorPerformance Errors);

/// <summary>
/// Milliseconds of the last 1000 requests, percentiles by nearest rank. What waits on purpose (long polls, streams) is left
/// out. Null before the first request.
/// </summary>
public sealed record ResponseTimes(double? Average, double? P50, double? P95, double? P99, int Samples);

/// <param name="RequestsPerSecond">Of the last minute.</param>
/// <param name="RequestsPerMinute">In the last minute.</param>
/// <param name="Total">Since the start.</param>
public sealed record Throughput(double RequestsPerSecond, long RequestsPerMinute, long Total);

public sealed record DatabasePerformance(PoolPerformance ConnectionPool, QueryPerformance QueryPerformance);

/// <param name="Active">In use.</param>
/// <param name="Waiting">Requests that wait for a connection.</param>
/// <param name="Max">Of both pools together.</param>
/// <param name="Usage">Of the fuller pool, 0 to 1; null while nothing has connected.</param>
public sealed record PoolPerformance(long Active, long Idle, long Waiting, long Max, double? Usage);

/// <param name="AverageTime">Milliseconds until the answer was read; null before the first.</param>
/// <param name="SlowQueries">That took longer than the threshold.</param>
public sealed record QueryPerformance(double? AverageTime, long Total, long Failed, long SlowQueries);

/// <param name="HitRate">0 to 1; null while the cache has said nothing.</param>
public sealed record CachePerformance(double? HitRate, CacheOperations Operations);

/// <param name="Reads">Null while the cache has said nothing.</param>
public sealed record CacheOperations(long? Reads, long? Writes);

/// <param name="Refused">Requests that were answered 429.</param>
/// <param name="Counters">What the limiter counts, by the names of its instruments.</param>
public sealed record RateLimitPerformance(long Refused, IReadOnlyDictionary<string, double> Counters);

/// <param name="HeapUsed">Bytes on the managed heap, those that wait for collection included.</param>
/// <param name="HeapTotal">Bytes that the heap has taken from the system.</param>
/// <param name="External">Bytes of the process beside the heap.</param>
/// <param name="Rss">Physical memory of the process in bytes.</param>
/// <param name="Available">Bytes that the process may use: of the machine, or of its container.</param>
/// <param name="Load">How much of what is available is in use, by anybody; 0 to 1.</param>
public sealed record MemoryPerformance(long HeapUsed, long HeapTotal, long External, long Rss, long Available, double Load);

/// <param name="Collections">By generation.</param>
/// <param name="PauseTotal">Milliseconds since the start in which everything stood still.</param>
/// <param name="PauseShare">Of all time since the start; 0 to 1.</param>
/// <param name="Allocated">Bytes since the start.</param>
public sealed record GcPerformance(IReadOnlyList<int> Collections, double PauseTotal, double PauseShare, long Allocated);

/// <param name="User">Milliseconds of all cores since the start.</param>
/// <param name="System">Likewise, in the kernel.</param>
public sealed record CpuPerformance(double User, double System, int Cores);

/// <param name="Rate">Requests that this server failed (5xx), of the last five minutes; null when there were none.</param>
/// <param name="Total">Since the start.</param>
/// <param name="Refused">Requests that were refused (4xx) since the start.</param>
public sealed record ErrorPerformance(double? Rate, long Total, long Refused);

internal sealed class GetPerformanceMetricsHandler(IPerformance performance) : IRequestHandler<GetPerformanceMetricsQuery, Result<PerformanceMetrics>>
{
    public Task<Result<PerformanceMetrics>> Handle(GetPerformanceMetricsQuery request, CancellationToken cancellationToken) =>
        Task.FromResult<Result<PerformanceMetrics>>(performance.Read());
}
