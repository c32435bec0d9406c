using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Cache;

/// <summary>How the cache does on the node that answers, since it started.</summary>
[Requires(Permission.Operate)]
public sealed record GetCacheStatisticsQuery : IQuery<CacheStatistics>;

/// <param name="Hits">Answers from this node's memory or from Redis.</param>
/// <param name="Misses">Answers that had to be asked for.</param>
/// <param name="HitRate">Percent, 0 to 100; null before the first answer.</param>
/// <param name="Entries">Answers in this node's memory, and about how many bytes they take.</param>
/// <param name="MaximumEntries">How many there may be, likewise.</param>
/// <param name="Redis">Null when this installation has none.</param>
/// <param name="Hears">Whether it hears what other nodes remove; while it does not, it believes an answer for a second.</param>
public sealed record CacheStatistics(
    long Hits,
    long Misses,
    double? HitRate,
    long Entries,
    long Bytes,
    int MaximumEntries,
    long MaximumBytes,
    bool Hears,
    CacheRedis? Redis,
    IReadOnlyList<CachePrefixStatistics> Prefixes);

/// <param name="Answers">Whether it answered when it was last asked. While it does not, this node goes on without it.</param>
public sealed record CacheRedis(bool Answers);

/// <param name="Prefix">What keys begin with.</param>
/// <param name="KeepSeconds">For how long an answer is kept; null for keys of no prefix.</param>
/// <param name="UsualKeepSeconds">For how long, had nobody set another time; DELETE /api/v1/admin/cache/lifetimes sets it again.</param>
/// <param name="MemoryHits">Answers from this node's memory.</param>
/// <param name="RedisHits">Answers from Redis.</param>
/// <param name="Expired">Misses of answers whose time was over.</param>
/// <param name="Removed">Misses of answers that a change had made wrong.</param>
/// <param name="Stale">Answers older than meant, because the source failed or was slow.</param>
/// <param name="Failures">Sources that failed.</param>
/// <param name="Evictions">Answers that made room for others.</param>
/// <param name="TooLarge">Answers that were not kept because they are larger than a mebibyte.</param>
public sealed record CachePrefixStatistics(
    string Prefix,
    int? KeepSeconds,
    int? UsualKeepSeconds,
    long MemoryHits,
    long RedisHits,
    long Misses,
    double? HitRate,
    long Expired,
    long Removed,
    long Stale,
    long Failures,
    long Evictions,
    long TooLarge,
    long Entries,
    long Bytes);

internal sealed class GetCacheStatisticsHandler(ICacheAdministration cache) : IRequestHandler<GetCacheStatisticsQuery, Result<CacheStatistics>>
{
    public Task<Result<CacheStatistics>> Handle(GetCacheStatisticsQuery request, CancellationToken cancellationToken) =>
        Task.FromResult<Result<CacheStatistics>>(cache.Read());
}
