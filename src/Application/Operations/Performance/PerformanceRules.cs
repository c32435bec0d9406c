namespace Vtp.Application.Operations.Performance;

/// <summary>Which numbers are bad, and what to do about each.</summary>
internal static class PerformanceRules
{
    private const double SlowResponseMs = 1000;
    private const double PoorHitRate = 0.8;
    private const double SlowQueryAverageMs = 500;
    private const double FullHeap = 0.9;
    private const double HighErrorRate = 0.01;
    private const int LargePool = 50;
    private const int SmallPool = 10;
    private const double MostlyIdle = 0.8;
    private const int Named = 5;

    public static IEnumerable<PerformanceFinding> Find(
        PerformanceMetrics metrics, IReadOnlyList<EndpointPerformance> endpoints, IReadOnlyList<SlowQuery> slowQueries)
    {
        if (metrics.ResponseTime is { Average: > SlowResponseMs and var average } times)
        {
            yield return new(
                "response_time",
                "Requests take longer than a second on average.",
                Evidence(("average_ms", average), ("p95_ms", times.P95!.Value), ("samples", times.Samples)),
                [.. endpoints.Take(Named).Select(endpoint => $"{endpoint.Method} {endpoint.Route}")],
                ["Take a CPU profile while it is slow: /debug/pprof/profile.", "Look whether the slowest endpoints wait for the slow queries."]);
        }

        if (metrics.Cache.HitRate is < PoorHitRate and var hitRate)
        {
            yield return new(
                "cache_hit_rate",
                "The cache answers fewer than four reads of five.",
                Evidence(("hit_rate", hitRate), ("reads", metrics.Cache.Operations.Reads ?? 0)),
                [],
                ["Keep answers that seldom change for longer.", "Look which tags are invalidated most."]);
        }

        if (metrics.Database.QueryPerformance is { AverageTime: > SlowQueryAverageMs and var time } queries)
        {
            yield return new(
                "query_time",
                "Statements take longer than half a second on average.",
                Evidence(("average_ms", time), ("total", queries.Total), ("slow", queries.SlowQueries)),
                [.. slowQueries.Take(Named).Select(query => query.Query)],
                ["Look at the slowest statements with EXPLAIN on a copy of the data.", "Look for locks that are held for long: pg_stat_activity, wait_event_type Lock."]);
        }

        if (metrics.Memory.Load > FullHeap)
        {
            yield return new(
                "memory",
                "Nine tenths of the memory there is are in use.",
                Evidence(("load", metrics.Memory.Load), ("heap_used", metrics.Memory.HeapUsed), ("rss", metrics.Memory.Rss), ("available", metrics.Memory.Available)),
                [],
                ["Look what the heap holds: /debug/pprof/heap.", "Give the process more memory, or run another node."]);
        }

        if (metrics.Errors.Rate is > HighErrorRate and var rate)
        {
            yield return new(
                "error_rate",
                "More than one request of a hundred failed in the last five minutes.",
                Evidence(("rate", rate), ("total", metrics.Errors.Total)),
                [.. endpoints.Where(endpoint => endpoint.Errors > 0).OrderByDescending(endpoint => endpoint.Errors).Take(Named).Select(endpoint => $"{endpoint.Method} {endpoint.Route}")],
                ["Look in the logs for the trace ids of the answers that failed.", "Look whether the database answers: /health/ready."]);
        }

        if (OfPool(metrics.Database.ConnectionPool) is { } pool)
        {
            yield return pool;
        }
    }

    public static PerformanceFinding IsStale(StaleTable table) => new(
        "stale_statistics",
        "Much of a table has changed since it was last analysed, so that plans are made for other data.",
        Evidence(("rows", table.Rows), ("changed", table.Changed)),
        [table.Name],
        ["Let autovacuum run more often, if this comes again."]);

    public static PerformanceFinding IsScanned(ScannedTable table) => new(
        "sequential_scans",
        "A large table is mostly read from end to end.",
        Evidence(("rows", table.Rows), ("scans", table.Scans), ("index_scans", table.IndexScans)),
        [table.Name],
        ["Look which statement reads it, and whether it lacks an index."]);

    private static PerformanceFinding? OfPool(PoolPerformance pool)
    {
        var evidence = Evidence(("active", pool.Active), ("idle", pool.Idle), ("waiting", pool.Waiting), ("max", pool.Max));
        var total = pool.Active + pool.Idle;
        return pool.Waiting > 0 && pool.Max < LargePool
            ? new("pool_small", "Requests wait for a connection to the database.", evidence, [], ["Raise Maximum Pool Size in ConnectionStrings__Vtp.", "Look for transactions that are held open for long."])
            : total > SmallPool && pool.Idle > total * MostlyIdle
                ? new("pool_large", "Most connections to the database do nothing.", evidence, [], ["Lower Minimum Pool Size or Connection Idle Lifetime, if the server's connections are scarce."])
                : null;
    }

    private static Dictionary<string, double> Evidence(params (string Name, double Value)[] numbers) =>
        numbers.ToDictionary(number => number.Name, number => number.Value, StringComparer.Ordinal);
}
