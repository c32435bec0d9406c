using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
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
    private readonly ConcurrentDictionary<(Instrument Instrument, string Tag, string State), double> _sums = new();
    private readonly HashSet<string> _pools;
    private readonly IMeterFactory _meters;

    public MeterReadings(NpgsqlDataSource database, [FromKeyedServices(Connections.Reads)] NpgsqlDataSource reads, IMeterFactory meters)
    {
        _pools = new HashSet<string>([database.ConnectionString, reads.ConnectionString], StringComparer.Ordinal);
        _meters = meters;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (IsRead(instrument))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
    }

    public (long Active, long Idle, long Waiting, long Max, double? Usage) Pools()
    {
        _listener.RecordObservableInstruments();
        var (active, idle, max) = (Of(PoolCount, "used"), Of(PoolCount, "idle"), Of(PoolMaximum));
        var usage = _pools.Where(pool => max.ContainsKey(pool)).Select(pool => active.GetValueOrDefault(pool) / max[pool]).DefaultIfEmpty(double.NaN).Max();
        return ((long)active.Values.Sum(), (long)idle.Values.Sum(), (long)Of(PoolPending).Values.Sum(), (long)max.Values.Sum(), double.IsNaN(usage) ? null : Math.Round(usage, 3));
    }

    public long? ClientConnections() => _sums.Where(sum => sum.Key.Instrument.Name == Kestrel).Select(sum => (long?)sum.Value).Sum() is { } sum && IsKnown(Kestrel) ? sum : null;

    /// <summary>Hits and misses are counters of these names, or one counter whose tag says which.</summary>
    public (long Hits, long Misses, long Writes)? CacheCounts()
    {
        var counts = _sums.Where(sum => sum.Key.Instrument.Name.StartsWith(Cache, StringComparison.Ordinal) && IsCounter(sum.Key.Instrument)).ToList();
        return counts.Count == 0 ? null : (Sum("hit"), Sum("miss"), Sum("write", "set"));

        long Sum(params string[] words) => (long)counts
            .Where(sum => words.Any(word => sum.Key.Instrument.Name[Cache.Length..].StartsWith(word, StringComparison.Ordinal)
                || sum.Key.Tag.StartsWith(word, StringComparison.Ordinal)))
            .Sum(sum => sum.Value);
    }

    public IReadOnlyDictionary<string, double> RateLimits() => _sums
        .Where(sum => sum.Key.Instrument.Name.StartsWith(RateLimit, StringComparison.Ordinal) && IsCounter(sum.Key.Instrument))
        .GroupBy(sum => sum.Key.Instrument.Name, StringComparer.Ordinal)
        .OrderBy(group => group.Key, StringComparer.Ordinal)
        .ToDictionary(group => group.Key, group => group.Sum(sum => sum.Value), StringComparer.Ordinal);

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

    private bool IsKnown(string instrument) => _sums.Keys.Any(key => key.Instrument.Name == instrument);

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var (tag, state) = ("", "");
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

            if (!_pools.Contains(tag))
            {
                return;
            }
        }
        else if (instrument.Name.StartsWith(Cache, StringComparison.Ordinal))
        {
            foreach (var (_, text) in tags)
            {
                tag = text is string word && (word.StartsWith("hit", StringComparison.Ordinal) || word.StartsWith("miss", StringComparison.Ordinal)) ? word : tag;
            }
        }

        if (instrument.IsObservable)
        {
            _sums[(instrument, tag, state)] = value;
        }
        else
        {
            _sums.AddOrUpdate((instrument, tag, state), value, (_, sum) => sum + value);
        }
    }

    private Dictionary<string, double> Of(string instrument, string state = "") => _sums
        .Where(sum => sum.Key.Instrument.Name == instrument && sum.Key.State == state)
        .GroupBy(sum => sum.Key.Tag, StringComparer.Ordinal)
        .ToDictionary(group => group.Key, group => group.Sum(sum => sum.Value), StringComparer.Ordinal);
}
