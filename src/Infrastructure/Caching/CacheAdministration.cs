using Vtp.Application.Common.Caching;
using Vtp.Application.Operations.Cache;

namespace Vtp.Infrastructure.Caching;

internal sealed class CacheAdministration(
    CacheOptions options, LocalEntries entries, CacheCounts counts, Removals removals, Invalidations invalidations, RedisEntries? redis = null) : ICacheAdministration
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

    private static CachePrefixStatistics Of(CacheCount count) => new(
        count.Prefix,
        Prefixes.TryGetValue(count.Prefix, out var prefix) ? (int)prefix.KeepFor.TotalSeconds : null,
        count.MemoryHits,
        count.SharedHits,
        count.Misses,
        Rate(count.MemoryHits + count.SharedHits, count.Misses),
        count.Stale,
        count.Failures,
        count.Evictions,
        count.TooLarge,
        count.Entries,
        count.Bytes);

    private static double? Rate(long hits, long misses) => hits + misses == 0 ? null : Math.Round(100.0 * hits / (hits + misses), 2);
}
