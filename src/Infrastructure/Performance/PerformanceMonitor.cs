using Microsoft.Extensions.Options;
using Vtp.Application.Operations.Performance;

namespace Vtp.Infrastructure.Performance;

/// <summary>Puts together what this node knows of itself. A look each ten seconds makes the points of its history.</summary>
internal sealed class PerformanceMonitor(RequestLog requests, QueryLog queries, MeterReadings meters, IOptions<PerformanceOptions> options, TimeProvider clock)
    : IPerformance
{
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

    private const int KeptPoints = 180;
    private static readonly TimeSpan ErrorWindow = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan RateWindow = TimeSpan.FromMinutes(1);

    private readonly DateTimeOffset _since = clock.GetUtcNow();
    private readonly long _started = clock.GetTimestamp();
    private readonly Lock _lock = new();
    private readonly Queue<PerformancePoint> _points = new(KeptPoints);
    private readonly Queue<(long At, RequestLog.Counts Total)> _totals = new([(clock.GetTimestamp(), default)]);
    private Reading _last = new(clock.GetTimestamp(), default, GC.GetTotalPauseDuration(), null);

    /// <summary>INSTANCE_ID, or the machine's name: what the alerts and the answers of this node carry.</summary>
    public static string Node => Environment.GetEnvironmentVariable("INSTANCE_ID") ?? Environment.MachineName;

    public double SlowQueryMs => options.Value.SlowQuery.TotalMilliseconds;

    public IReadOnlyList<EndpointPerformance> Endpoints() => requests.Endpoints();

    public IReadOnlyList<SlowQuery> SlowQueries() => queries.SlowQueries();

    public IReadOnlyList<PerformancePoint> History()
    {
        lock (_lock)
        {
            return [.. _points];
        }
    }

    public PerformanceMetrics Read()
    {
        var (memory, rss, total) = (GC.GetGCMemoryInfo(), Environment.WorkingSet, requests.Total);
        var pool = meters.Pools();
        var (minute, minuteSeconds) = Within(RateWindow);
        var (recent, _) = Within(ErrorWindow);
        var cache = meters.CacheCounts();
        var cpu = Environment.CpuUsage;
        var uptime = clock.GetElapsedTime(_started);
        var pauses = GC.GetTotalPauseDuration();
        return new PerformanceMetrics(
            Node,
            _since,
            (long)uptime.TotalSeconds,
            requests.Times(since: 0),
            new Throughput(Math.Round(minute.Requests / Math.Max(minuteSeconds, 1), 2), minute.Requests, total.Requests),
            new DatabasePerformance(new PoolPerformance(pool.Active, pool.Idle, pool.Waiting, pool.Max, pool.Usage), queries.Totals),
            new CachePerformance(HitRate(cache), new CacheOperations(cache?.Hits + cache?.Misses, cache?.Writes)),
            new RateLimitPerformance(total.Limited, meters.RateLimits()),
            new MemoryPerformance(
                GC.GetTotalMemory(forceFullCollection: false),
                memory.TotalCommittedBytes,
                Math.Max(rss - memory.TotalCommittedBytes, 0),
                rss,
                memory.TotalAvailableMemoryBytes,
                memory.TotalAvailableMemoryBytes == 0 ? 0 : Math.Round((double)memory.MemoryLoadBytes / memory.TotalAvailableMemoryBytes, 3)),
            new GcPerformance(
                [.. Enumerable.Range(0, GC.MaxGeneration + 1).Select(GC.CollectionCount)],
                Math.Round(pauses.TotalMilliseconds, 1),
                Math.Round(pauses / Max(uptime, TimeSpan.FromMilliseconds(1)), 5),
                GC.GetTotalAllocatedBytes()),
            new CpuPerformance(Math.Round(cpu.UserTime.TotalMilliseconds), Math.Round(cpu.PrivilegedTime.TotalMilliseconds), Environment.ProcessorCount),
            ThreadPool.ThreadCount,
            meters.ClientConnections(),
            new ErrorPerformance(recent.Requests == 0 ? null : Math.Round((double)recent.Errors / recent.Requests, 4), total.Errors, total.Refused));
    }

    /// <summary>Adds the point of the time since the last look.</summary>
    public void Look()
    {
        var (now, total, pauses, cache, pool) = (clock.GetTimestamp(), requests.Total, GC.GetTotalPauseDuration(), meters.CacheCounts(), meters.Pools());
        lock (_lock)
        {
            var happened = total - _last.Total;
            var times = requests.Times(_last.At);
            var point = new PerformancePoint(
                clock.GetUtcNow(),
                Math.Round(clock.GetElapsedTime(_last.At, now).TotalSeconds, 3),
                happened.Requests,
                happened.Errors,
                happened.Limited,
                times.P50,
                times.P95,
                times.P99,
                HitRate(cache is { } counts && _last.Cache is { } before ? (counts.Hits - before.Hits, counts.Misses - before.Misses, 0) : cache),
                pool.Active,
                pool.Waiting,
                Math.Round((pauses - _last.Pauses).TotalMilliseconds, 2),
                GC.GetTotalMemory(forceFullCollection: false));
            if (_points.Count == KeptPoints)
            {
                _points.Dequeue();
            }

            _points.Enqueue(point);
            _totals.Enqueue((now, total));
            while (_totals.Count > 2 && clock.GetElapsedTime(_totals.Peek().At, now) > ErrorWindow + Every)
            {
                _totals.Dequeue();
            }

            _last = new Reading(now, total, pauses, cache);
        }
    }

    /// <summary>Requests of about this time until now, and the seconds that it really was.</summary>
    public (RequestLog.Counts Counts, double Seconds) Within(TimeSpan window)
    {
        var (now, total) = (clock.GetTimestamp(), requests.Total);
        lock (_lock)
        {
            var (at, before) = _totals.FirstOrDefault(one => clock.GetElapsedTime(one.At, now) <= window, _totals.Last());
            return (total - before, clock.GetElapsedTime(at, now).TotalSeconds);
        }
    }

    /// <summary>Of the requests of this time, the last thousand at most.</summary>
    public ResponseTimes Times(TimeSpan window) => requests.Times(clock.GetTimestamp() - (long)(window.TotalSeconds * clock.TimestampFrequency));

    private static double? HitRate((long Hits, long Misses, long Writes)? cache) =>
        cache is { } counts && counts.Hits + counts.Misses > 0 ? Math.Round((double)counts.Hits / (counts.Hits + counts.Misses), 4) : null;

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;

    private sealed record Reading(long At, RequestLog.Counts Total, TimeSpan Pauses, (long Hits, long Misses, long Writes)? Cache);
}
