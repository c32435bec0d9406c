using System.Diagnostics.Metrics;
using OpenTelemetry.Metrics;
using Vtp.Application.Common.Pipeline;

namespace Vtp.Infrastructure.Observability;

/// <summary>Which instruments are collected, by which tags, and how many series each may have.</summary>
internal static class InstrumentViews
{
    /// <summary>Ours, which others add to: all whose name begins so. Case does not matter.</summary>
    public static readonly string[] Meters =
        [$"{Telemetry.Name}*", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Npgsql", "System.Runtime"];

    // What is beyond is counted in one series that says so.
    internal const int MostSeries = 200;
    internal const int MostSeriesOfRoutes = 2000;

    private static readonly double[] RequestSeconds = [.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10];
    private static readonly double[] UseCaseSeconds = [.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5];
    private static readonly double[] WorkSeconds = [.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

    /// <summary>Of instruments that are not ours: those that are worth their series, with the tags that are.</summary>
    private static readonly Dictionary<string, string[]> Foreign = new(StringComparer.Ordinal)
    {
        ["http.server.request.duration"] = ["http.request.method", "http.route", "http.response.status_code"],
        ["http.server.active_requests"] = [],
        ["kestrel.active_connections"] = [],
        ["kestrel.queued_connections"] = [],
        ["kestrel.rejected_connections"] = [],
        ["kestrel.upgraded_connections"] = [],
        ["db.client.connection.count"] = ["db.client.connection.pool.name", "db.client.connection.state"],
        ["db.client.connection.max"] = ["db.client.connection.pool.name"],
        ["db.client.connection.npgsql.pending_requests"] = ["db.client.connection.pool.name"],
        ["db.client.connection.npgsql.timeouts"] = ["db.client.connection.pool.name"],
        ["db.client.connection.npgsql.create_time"] = ["db.client.connection.pool.name"],
        ["db.client.operation.duration"] = ["db.client.connection.pool.name"],
        ["db.client.operation.failed"] = ["db.client.connection.pool.name"],
        ["dotnet.gc.collections"] = ["gc.heap.generation"],
        ["dotnet.gc.heap.total_allocated"] = [],
        ["dotnet.gc.last_collection.heap.size"] = ["gc.heap.generation"],
        ["dotnet.gc.last_collection.memory.committed_size"] = [],
        ["dotnet.gc.pause.time"] = [],
        ["dotnet.thread_pool.thread.count"] = [],
        ["dotnet.thread_pool.queue.length"] = [],
        ["dotnet.thread_pool.work_item.count"] = [],
        ["dotnet.monitor.lock_contentions"] = [],
        ["dotnet.exceptions"] = [],
        ["dotnet.process.cpu.time"] = [],
        ["dotnet.process.memory.working_set"] = [],
    };

    public static MetricStreamConfiguration? Of(Instrument instrument)
    {
        var isOurs = instrument.Meter.Name.StartsWith(Telemetry.Name, StringComparison.OrdinalIgnoreCase);
        string[]? tags = null;
        if (!isOurs && !Foreign.TryGetValue(instrument.Name, out tags))
        {
            return MetricStreamConfiguration.Drop;
        }

        var limit = instrument.Name is "http.server.request.duration" or "vtp.use_case.duration" ? MostSeriesOfRoutes : MostSeries;
        return instrument is Histogram<double> or Histogram<long>
            ? new ExplicitBucketHistogramConfiguration { Boundaries = BoundsOf(instrument), RecordMinMax = false, TagKeys = tags, CardinalityLimit = limit }
            : new MetricStreamConfiguration { TagKeys = tags, CardinalityLimit = limit };
    }

    private static double[]? BoundsOf(Instrument instrument) => instrument switch
    {
        { Name: "http.server.request.duration" } => RequestSeconds,
        { Name: "vtp.use_case.duration" } or { Name: "db.client.operation.duration" } => UseCaseSeconds,
        // Null: as the instrument itself advises.
        Histogram<double> { Advice: null or { HistogramBucketBoundaries: null }, Unit: "s" } => WorkSeconds,
        _ => null,
    };
}
