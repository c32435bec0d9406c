using System.Runtime.InteropServices;

namespace Vtp.Infrastructure.Caching;

/// <summary>An answer that this node keeps. Times are of the monotonic clock.</summary>
/// <param name="value">The answer; whoever gets it does not change it.</param>
/// <param name="names">Under which it can be removed.</param>
/// <param name="count">Of its prefix.</param>
/// <param name="bytes">About what it takes.</param>
/// <param name="life">When it was begun, is refreshed, expires, and is no longer better than nothing.</param>
internal sealed class CacheEntry(object value, string[] names, CacheCount count, int bytes, CacheLife life)
{
    private long _usedAt = life.StartedAt;
    private long _retryAt;
    private int _isRefreshing;
    private int _checkedAt = -1;

    public object Value => value;

    public string[] Names => names;

    public CacheCount Count => count;

    public int Bytes => bytes;

    public CacheLife Life => life;

    public long UsedAt => Volatile.Read(ref _usedAt);

    /// <summary>As old as it is, nobody asks for a better one before then: the source has just failed.</summary>
    public long RetryAt
    {
        get => Volatile.Read(ref _retryAt);
        set => Volatile.Write(ref _retryAt, value);
    }

    /// <summary>The version of <see cref="Removals"/> that was found not to name this entry.</summary>
    public int CheckedAt
    {
        get => Volatile.Read(ref _checkedAt);
        set => Volatile.Write(ref _checkedAt, value);
    }

    public void Use(long now) => Volatile.Write(ref _usedAt, now);

    /// <returns>True to the one who shall.</returns>
    public bool BeginRefresh() => Volatile.Read(ref _isRefreshing) == 0 && Interlocked.Exchange(ref _isRefreshing, 1) == 0;
}

/// <param name="StartedAt">Before its source was read: what was removed since then it may not show.</param>
/// <param name="UsableUntil">While its source fails.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct CacheLife(long StartedAt, long RefreshAt, long ExpiresAt, long UsableUntil);

/// <summary>How often answers were read on this node, and why not from what is kept.</summary>
/// <param name="Reads">Hits and misses.</param>
internal sealed record CacheReads(long Reads, long Misses, long Expired, long Removed, long Evictions)
{
    public static readonly CacheReads None = new(0, 0, 0, 0, 0);

    public static CacheReads operator -(CacheReads left, CacheReads right) => new(
        left.Reads - right.Reads, left.Misses - right.Misses, left.Expired - right.Expired, left.Removed - right.Removed, left.Evictions - right.Evictions);
}

/// <summary>What happened to the keys of one prefix on this node.</summary>
internal sealed class CacheCount(string prefix)
{
    private long _memoryHits;
    private long _sharedHits;
    private long _misses;
    private long _expired;
    private long _removed;
    private long _stale;
    private long _failures;
    private long _evictions;
    private long _tooLarge;
    private long _entries;
    private long _bytes;
    private CacheReads _judged = CacheReads.None;

    public string Prefix => prefix;

    public long MemoryHits => Volatile.Read(ref _memoryHits);

    public long SharedHits => Volatile.Read(ref _sharedHits);

    public long Misses => Volatile.Read(ref _misses);

    public long MissesExpired => Volatile.Read(ref _expired);

    public long MissesRemoved => Volatile.Read(ref _removed);

    public long Stale => Volatile.Read(ref _stale);

    public long Failures => Volatile.Read(ref _failures);

    public long Evictions => Volatile.Read(ref _evictions);

    public long TooLarge => Volatile.Read(ref _tooLarge);

    public long Entries => Volatile.Read(ref _entries);

    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Since <see cref="JudgeAnew"/>.</summary>
    public CacheReads Reads => All - Volatile.Read(ref _judged);

    private CacheReads All => new(MemoryHits + SharedHits + Misses, Misses, MissesExpired, MissesRemoved, Evictions);

    /// <summary>What has happened until now was under other conditions.</summary>
    public void JudgeAnew() => Volatile.Write(ref _judged, All);

    public void MemoryHit() => Interlocked.Increment(ref _memoryHits);

    public void SharedHit() => Interlocked.Increment(ref _sharedHits);

    public void Miss() => Interlocked.Increment(ref _misses);

    public void MissedExpired() => Interlocked.Increment(ref _expired);

    public void MissedRemoved() => Interlocked.Increment(ref _removed);

    public void ServedStale() => Interlocked.Increment(ref _stale);

    public void Failed() => Interlocked.Increment(ref _failures);

    public void WasTooLarge() => Interlocked.Increment(ref _tooLarge);

    public void Added(int bytes)
    {
        Interlocked.Increment(ref _entries);
        Interlocked.Add(ref _bytes, bytes);
    }

    public void Removed(int bytes)
    {
        Interlocked.Decrement(ref _entries);
        Interlocked.Add(ref _bytes, -bytes);
    }

    public void Evicted() => Interlocked.Increment(ref _evictions);
}
