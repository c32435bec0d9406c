using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Performance;

/// <summary>
/// Reads instruments of other parts by their names, as any collector would: what the driver says of its pools, Kestrel of its
/// connections, the cache and the limiter of what they did. What does not exist has no reading.
/// </summary>
internal sealed class MeterReadings : IHostedService, IDisposable
{
    private const string Cache = "vtp.cache.";
    private const string RateLimit = "vtp.ratelimit.";
    private const string PoolCount = "db.client.connection.count";
    private const string PoolMaximum = "db.client.connection.max";
    private const string PoolPending = "db.client.connection.npgsql.pending_requests";
    private const string Kestrel = "kestrel.active_connections";
    private const string PoolName = "db.client.connection.pool.name";
    private const string PoolState = "db.client.connection.state";

    private static readonly string[] Named = [PoolCount, PoolMaximum, PoolPending, Kestrel];

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<Instrument, InstrumentSeries> _instruments = new();
    private static readonly string[] PoolsOfServer = [Connections.Main, Connections.Reads];
    private readonly IMeterFactory _meters;

    public MeterReadings(IMeterFactory meters)
    {
        _meters = meters;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (IsRead(instrument))
            {
                listener.EnableMeasurementEvents(instrument, _instruments.GetOrAdd(instrument, static known => new InstrumentSeries(known)));
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, value, tags, series) => Add((InstrumentSeries)series!, value, tags));
        _listener.SetMeasurementEventCallback<int>((_, value, tags, series) => Add((InstrumentSeries)series!, value, tags));
        _listener.SetMeasurementEventCallback<double>((_, value, tags, series) => Add((InstrumentSeries)series!, value, tags));
    }

    public (long Active, long Idle, long Waiting, long Max, double? Usage) Pools()
    {
        _listener.RecordObservableInstruments();
        var (active, idle, max) = (Of(PoolCount, "used"), Of(PoolCount, "idle"), Of(PoolMaximum));
        var usage = PoolsOfServer.Where(pool => max.ContainsKey(pool)).Select(pool => active.GetValueOrDefault(pool) / max[pool]).DefaultIfEmpty(double.NaN).Max();
        return ((long)active.Values.Sum(), (long)idle.Values.Sum(), (long)Of(PoolPending).Values.Sum(), (long)max.Values.Sum(), double.IsNaN(usage) ? null : Math.Round(usage, 3));
    }

    public long? ClientConnections() => SeriesOf(Kestrel).ToList() is { Count: > 0 } known ? (long)known.Sum(series => series.Value) : null;

    /// <summary>Null before anything was asked of the cache. What was asked for and found is then kept.</summary>
    public (long Hits, long Misses, long Writes)? CacheCounts()
    {
        var (hits, misses) = (Sum("vtp.cache.hits"), Sum("vtp.cache.misses"));
        return hits + misses == 0 ? null : (hits, misses, misses - Sum("vtp.cache.failures"));

        long Sum(string instrument) => (long)SeriesOf(instrument).Sum(series => series.Value);
    }

    public IReadOnlyDictionary<string, double> RateLimits() => Counters(RateLimit)
        .GroupBy(counter => counter.Instrument.Name, StringComparer.Ordinal)
        .OrderBy(group => group.Key, StringComparer.Ordinal)
        .ToDictionary(group => group.Key, group => group.Sum(counter => counter.Series.Sum(series => series.Value)), StringComparer.Ordinal);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _listener.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _listener.Dispose();

    private static bool IsCounter(Instrument instrument) => instrument is Counter<long> or Counter<int> or Counter<double> or UpDownCounter<long> or UpDownCounter<int>;

    /// <summary>Meters of the framework belong to a server; those of VTP's own parts to the process.</summary>
    private bool IsRead(Instrument instrument) =>
        (instrument.Meter.Scope is null || ReferenceEquals(instrument.Meter.Scope, _meters))
        && (Named.Contains(instrument.Name, StringComparer.Ordinal)
            || instrument.Name.StartsWith(Cache, StringComparison.Ordinal)
            || instrument.Name.StartsWith(RateLimit, StringComparison.Ordinal));

    private IEnumerable<InstrumentSeries> Counters(string prefix) =>
        _instruments.Values.Where(known => known.Instrument.Name.StartsWith(prefix, StringComparison.Ordinal) && IsCounter(known.Instrument));

    private IEnumerable<InstrumentSeries.One> SeriesOf(string instrument) =>
        _instruments.Values.Where(known => known.Instrument.Name == instrument).SelectMany(known => known.Series);

    private static void Add(InstrumentSeries series, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var (instrument, tag, state) = (series.Instrument, "", "");
        if (instrument.Name.StartsWith("db.", StringComparison.Ordinal))
        {
            foreach (var (name, text) in tags)
            {
                (tag, state) = name switch
                {
                    PoolName => (text as string ?? "", state),
                    PoolState => (tag, text as string ?? ""),
                    _ => (tag, state),
                };
            }
        }
        else if (instrument.Name.StartsWith(Cache, StringComparison.Ordinal))
        {
            foreach (var (_, text) in tags)
            {
                tag += $"/{text}"; // Each combination is a series of its own.
            }
        }

        var one = series.Find(tag, state);
        if (one is null && instrument.Name.StartsWith("db.", StringComparison.Ordinal) && !PoolsOfServer.Contains(tag))
        {
            return; // No pool of the server.
        }

        series.Add(one ?? series.Begin(tag, state), value);
    }

    private Dictionary<string, double> Of(string instrument, string state = "") => SeriesOf(instrument)
        .Where(series => series.State == state)
        .GroupBy(series => series.Tag, StringComparer.Ordinal)
        .ToDictionary(group => group.Key, group => group.Sum(series => series.Value), StringComparer.Ordinal);
}
