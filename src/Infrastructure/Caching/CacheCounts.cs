using System.Diagnostics.Metrics;
using Vtp.Application.Common.Caching;
using Vtp.Application.Common.Pipeline;

namespace Vtp.Infrastructure.Caching;

/// <summary>What happened on this node, by prefix; metrics read the same numbers, so that a hit pays for them once.</summary>
internal sealed class CacheCounts : IDisposable
{
    // Keys of nobody's making must not make a series each.
    private const string Other = "other";

    private readonly Meter _meter = new(Telemetry.Name);
    private readonly Dictionary<string, CacheCount> _known = CachePrefix.All.ToDictionary(prefix => prefix.Name, prefix => new CacheCount(prefix.Name), StringComparer.Ordinal);
    private readonly CacheCount _other = new(Other);

    public CacheCounts()
    {
        _meter.CreateObservableCounter(
            "vtp.cache.hits",
            () => All.SelectMany(count => new[] { Of(count, count.MemoryHits, "memory"), Of(count, count.SharedHits, "redis") }),
            description: "Answers from this node's memory or from Redis.");
        Observe("vtp.cache.misses", count => count.Misses, "Answers that had to be asked for.");
        Observe("vtp.cache.stale", count => count.Stale, "Answers older than meant, because the source failed or was slow.");
        Observe("vtp.cache.failures", count => count.Failures, "Sources that failed.");
        Observe("vtp.cache.evictions", count => count.Evictions, "Answers that made room for others.");
        Gauge("vtp.cache.entries", count => count.Entries, unit: null, "Answers in this node's memory.");
        Gauge("vtp.cache.size", count => count.Bytes, "By", "About what they take.");
    }

    public IEnumerable<CacheCount> All => [.. _known.Values, _other];

    public CacheCount Of(string key) => _known.GetValueOrDefault(CacheNames.PrefixOf(key)) ?? _other;

    public void Dispose() => _meter.Dispose();

    private void Observe(string name, Func<CacheCount, long> read, string description) =>
        _meter.CreateObservableCounter(name, () => All.Select(count => Of(count, read(count))), description: description);

    private void Gauge(string name, Func<CacheCount, long> read, string? unit, string description) =>
        _meter.CreateObservableGauge(name, () => All.Select(count => Of(count, read(count))), unit, description);

    private static Measurement<long> Of(CacheCount count, long value, string? layer = null) => layer is null
        ? new(value, new KeyValuePair<string, object?>("prefix", count.Prefix))
        : new(value, new("prefix", count.Prefix), new("layer", layer));
}
