using Vtp.Application.Common.Caching;
using Vtp.Application.Operations.Cache;

namespace Vtp.Infrastructure.Caching;

internal sealed class CacheAdministration(
    CacheOptions options,
    LocalEntries entries,
    CacheCounts counts,
    Removals removals,
    Invalidations invalidations,
    CacheLifetimes lifetimes,
    TimeProvider clock,
    RedisEntries? redis = null) : ICacheAdministration
{
    private static readonly Dictionary<string, CachePrefix> Prefixes = CachePrefix.All.ToDictionary(prefix => prefix.Name, StringComparer.Ordinal);

    public CacheStatistics Read()
    {
        var prefixes = counts.All.Select(Of).ToList();
        var (hits, misses) = (prefixes.Sum(one => one.MemoryHits + one.RedisHits), prefixes.Sum(one => one.Misses));
        return new CacheStatistics(
            hits,
            misses,
            Rate(hits, misses),
            entries.Count,
            entries.Bytes,
            options.MaximumEntries,
            options.MaximumBytes,
            !removals.IsDeaf,
            redis is null ? null : new CacheRedis(redis.IsUp),
            prefixes);
    }

    public Task RemoveKeysAsync(string keyOrBeginning) => invalidations.RemoveAsync([CacheNames.OfKey(keyOrBeginning)]);

    public Task RemoveTagAsync(string tag) => invalidations.RemoveAsync([CacheNames.OfTag(tag)]);

    public IReadOnlyList<CacheEvidence> Evidence() =>
    [
        .. from prefix in CachePrefix.All
           let reads = counts.Of(prefix.Name).Reads
           select new CacheEvidence(prefix, lifetimes.KeepFor(prefix), reads.Reads, reads.Misses, reads.Expired, reads.Removed, reads.Evictions),
    ];

    public int CountAtHand(IEnumerable<CacheKey> keys)
    {
        var now = clock.GetTimestamp();
        return keys.Count(key => entries.Find(key.Text) is { } entry && now < entry.Life.ExpiresAt && !removals.Cover(entry));
    }

    public async Task SetLifetimeAsync(CachePrefix prefix, TimeSpan keepFor, CancellationToken cancellationToken)
    {
        await lifetimes.SetAsync(prefix, keepFor, cancellationToken);
        await invalidations.NudgeAsync(CacheLifetimes.Channel);
    }

    public async Task ResetLifetimesAsync(CancellationToken cancellationToken)
    {
        await lifetimes.ResetAsync(cancellationToken);
        await invalidations.NudgeAsync(CacheLifetimes.Channel);
    }

    public async Task FillNodesAsync() => await invalidations.NudgeAsync(CacheFilling.Channel);

    private CachePrefixStatistics Of(CacheCount count) => new(
        count.Prefix,
        Prefixes.TryGetValue(count.Prefix, out var prefix) ? (int)lifetimes.KeepFor(prefix).TotalSeconds : null,
        (int?)prefix?.KeepFor.TotalSeconds,
        count.MemoryHits,
        count.SharedHits,
        count.Misses,
        Rate(count.MemoryHits + count.SharedHits, count.Misses),
        count.MissesExpired,
        count.MissesRemoved,
        count.Stale,
        count.Failures,
        count.Evictions,
        count.TooLarge,
        count.Entries,
        count.Bytes);

    private static double? Rate(long hits, long misses) => hits + misses == 0 ? null : Math.Round(100.0 * hits / (hits + misses), 2);
}
