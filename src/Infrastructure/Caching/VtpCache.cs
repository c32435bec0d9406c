using System.Collections.Concurrent;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Logging;
using Vtp.Application.Common.Caching;

namespace Vtp.Infrastructure.Caching;

/// <summary>
/// The framework's <see cref="HybridCache"/>: this node's memory in front of Redis, where there is one. What is absent
/// (null) is never kept. Flags of <see cref="HybridCacheEntryOptions"/> are not looked at.
/// </summary>
/// <param name="remove">Removes names here and on all other nodes.</param>
internal sealed partial class VtpCache(
    CacheOptions options,
    LocalEntries entries,
    Removals removals,
    CacheCounts counts,
    Func<IReadOnlyCollection<string>, Task> remove,
    TimeProvider clock,
    ILogger<VtpCache> logger,
    RedisEntries? redis = null) : HybridCache
{
    private static readonly TimeSpan DefaultExpiration = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LongestExpiration = TimeSpan.FromHours(24);
    private static readonly TimeSpan UsableLonger = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan RetryAfterFailure = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestTurn = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(15);
    private const double RefreshAt = 0.9;

    private readonly ConcurrentDictionary<string, CacheRun> _running = new(StringComparer.Ordinal);

    public override ValueTask<T> GetOrCreateAsync<TState, T>(
        string key,
        TState state,
        Func<TState, CancellationToken, ValueTask<T>> factory,
        HybridCacheEntryOptions? options = null,
        IEnumerable<string>? tags = null,
        CancellationToken cancellationToken = default)
    {
        key = CacheKey.Fit(key);
        var (entry, now) = (entries.Find(key), clock.GetTimestamp());
        if (entry is { Value: T value } && now < entry.Life.ExpiresAt && !removals.Cover(entry) && !removals.Doubt(entry, now))
        {
            entry.Use(now);
            entry.Count.MemoryHit();
            if (now >= entry.Life.RefreshAt && entry.BeginRefresh())
            {
                Forgive(Join(new CacheWork<TState, T>(key, state, factory, options, CacheNames.Of(key, tags), IsRefresh: true), entry).Answer);
            }

            return new(value);
        }

        return new(MissAsync(new CacheWork<TState, T>(key, state, factory, options, CacheNames.Of(key, tags), IsRefresh: false), entry, cancellationToken));
    }

    public override async ValueTask SetAsync<T>(
        string key, T value, HybridCacheEntryOptions? options = null, IEnumerable<string>? tags = null, CancellationToken cancellationToken = default)
    {
        key = CacheKey.Fit(key);
        var (names, started) = (CacheNames.Of(key, tags), clock.GetTimestamp());
        var marks = redis is null ? null : (await redis.ReadAsync<T>(key, names)).Marks;
        await KeepAsync(new CacheWork<object?, T>(key, null, (_, _) => new(value), options, names, IsRefresh: false), value, started, marks, lease: null);
    }

    public override ValueTask RemoveAsync(string key, CancellationToken cancellationToken = default) => new(remove([CacheNames.OfKey(key)]));

    public override ValueTask RemoveByTagAsync(string tag, CancellationToken cancellationToken = default) => new(remove([CacheNames.OfTag(tag)]));

    public override ValueTask RemoveByTagAsync(IEnumerable<string> tags, CancellationToken cancellationToken = default)
    {
        var names = tags.Select(CacheNames.OfTag).Distinct(StringComparer.Ordinal).ToArray();
        return names.Length == 0 ? ValueTask.CompletedTask : new(remove(names));
    }

    private async Task<T> MissAsync<TState, T>(CacheWork<TState, T> work, CacheEntry? old, CancellationToken cancellationToken)
    {
        var now = clock.GetTimestamp();
        var stale = old is { Value: T } && now < old.Life.UsableUntil && !removals.Cover(old) ? old : null;
        if (stale is not null && now < stale.RetryAt)
        {
            stale.Count.ServedStale();
            return (T)stale.Value;
        }

        var answer = Join(work, stale).Answer;
        try
        {
            return (T)(await answer.WaitAsync(stale is null ? options.HardTimeout : options.SoftTimeout, cancellationToken))!;
        }
        catch (TimeoutException) when (!answer.IsCompleted)
        {
            Forgive(answer);
            if (stale is not null)
            {
                stale.Count.ServedStale();
                return (T)stale.Value;
            }

            throw new SourceTimeoutException(work.Key, options.HardTimeout);
        }
        catch (OperationCanceledException) when (!answer.IsCompleted)
        {
            Forgive(answer);
            throw;
        }
    }

    /// <summary>The work on this key that is under way, unless it was begun before a removal; else this.</summary>
    private CacheRun Join<TState, T>(CacheWork<TState, T> work, CacheEntry? old)
    {
        CacheRun? mine = null;
        mine = CacheRun.Of(clock.GetTimestamp(), work.Names, async () =>
        {
            try
            {
                return await CreateAsync(work, old);
            }
            finally
            {
                _running.TryRemove(new KeyValuePair<string, CacheRun>(work.Key, mine!));
            }
        });
        while (true)
        {
            var run = _running.GetOrAdd(work.Key, mine);
            if (run == mine || (run.Type == typeof(T) && !removals.Cover(run.Names, run.StartedAt)))
            {
                return run;
            }

            if (_running.TryUpdate(work.Key, mine, run))
            {
                return mine;
            }
        }
    }

    private async Task<T> CreateAsync<TState, T>(CacheWork<TState, T> work, CacheEntry? stale)
    {
        var (started, count) = (clock.GetTimestamp(), counts.Of(work.Key));
        var shared = redis is null ? default : await redis.ReadAsync<T>(work.Key, work.Names);
        if (IsGood(work, shared.Entry))
        {
            return Adopt(work, shared.Entry!.Value, started, count);
        }

        RedisEntries.CacheLease? lease = null;
        if (shared.Marks is not null)
        {
            (lease, shared, started) = await TakeTurnAsync(work, shared, started);
            if (IsGood(work, shared.Entry))
            {
                return Adopt(work, shared.Entry!.Value, started, count);
            }
        }

        await using (lease)
        {
            count.Miss();
            Explain(work.Key, count);
            lease?.KeepRenewing(clock);
            T value;
            try
            {
                value = await work.Factory(work.State, CancellationToken.None);
            }
            catch (NothingToKeepException)
            {
                if (entries.Find(work.Key) is { } over)
                {
                    entries.Remove(work.Key, over);
                }

                throw;
            }
            catch (Exception exception)
            {
                count.Failed();
                LogFailed(count.Prefix, exception);
                if (UseStale(work, stale, shared, count, out var usable))
                {
                    return usable;
                }

                throw;
            }

            await KeepAsync(work, value, started, shared.Marks, lease);
            return value;
        }
    }

    /// <summary>Waits while another node asks the source, for as long as that one lives.</summary>
    private async Task<(RedisEntries.CacheLease? Lease, SharedRead<T> Shared, long StartedAt)> TakeTurnAsync<TState, T>(
        CacheWork<TState, T> work, SharedRead<T> shared, long started)
    {
        for (var since = clock.GetTimestamp(); ;)
        {
            if (shared.Marks is not { } marks)
            {
                return (null, shared, started);
            }

            var (isAnswered, lease) = await redis!.TakeAsync(work.Key, marks);

            // Whoever had the turn before may have written meanwhile.
            started = clock.GetTimestamp();
            var read = await redis.ReadAsync<T>(work.Key, work.Names);
            shared = read.Marks is null && lease is not null ? shared : read;
            if (lease is not null && IsGood(work, shared.Entry))
            {
                await lease.DisposeAsync();
                lease = null;
            }

            if (lease is not null || !isAnswered || IsGood(work, shared.Entry) || clock.GetElapsedTime(since) > LongestTurn)
            {
                return (lease, shared, started);
            }

            await Task.Delay(LookAgain, CancellationToken.None);
        }
    }

    private bool IsGood<TState, T>(CacheWork<TState, T> work, SharedEntry<T>? shared)
    {
        if (shared is not { } entry)
        {
            return false;
        }

        var now = clock.GetUtcNow();
        return now < (work.IsRefresh ? entry.CreatedAt + ((entry.ExpiresAt - entry.CreatedAt) * RefreshAt) : entry.ExpiresAt);
    }

    private T Adopt<TState, T>(CacheWork<TState, T> work, SharedEntry<T> shared, long started, CacheCount count)
    {
        count.SharedHit();
        var (now, rest) = (clock.GetUtcNow(), shared.ExpiresAt - clock.GetUtcNow());
        var refreshIn = shared.CreatedAt + ((shared.ExpiresAt - shared.CreatedAt) * RefreshAt) - now;
        entries.Put(work.Key, new CacheEntry(shared.Value!, work.Names, count, SizeOf(work.Key, shared.Length), Life(started, refreshIn, Local(work.Options, rest))));
        return shared.Value;
    }

    private bool UseStale<TState, T>(CacheWork<TState, T> work, CacheEntry? stale, SharedRead<T> shared, CacheCount count, out T value)
    {
        var now = clock.GetTimestamp();
        if (stale is { Value: T old } && now < stale.Life.UsableUntil && !removals.Cover(stale))
        {
            (stale.RetryAt, value) = (now + Ticks(RetryAfterFailure), old);
        }
        else if (shared.Entry is { } entry && clock.GetUtcNow() < entry.ExpiresAt + UsableLonger)
        {
            var usable = entry.ExpiresAt + UsableLonger - clock.GetUtcNow();
            var life = new CacheLife(now, now, now, now + Ticks(usable));
            entries.Put(work.Key, new CacheEntry(entry.Value!, work.Names, count, SizeOf(work.Key, entry.Length), life) { RetryAt = now + Ticks(RetryAfterFailure) });
            value = entry.Value;
        }
        else
        {
            value = default!;
            return false;
        }

        count.ServedStale();
        return true;
    }

    /// <summary>Why what was kept is not good enough; of what is renewed in time, or was never kept, there is nothing to say.</summary>
    private void Explain(string key, CacheCount count)
    {
        if (entries.Find(key) is not { } old)
        {
            return;
        }

        if (removals.Cover(old))
        {
            count.MissedRemoved();
        }
        else if (clock.GetTimestamp() >= old.Life.ExpiresAt)
        {
            count.MissedExpired();
        }
    }

    private async ValueTask KeepAsync<TState, T>(CacheWork<TState, T> work, T value, long started, byte[][]? marks, RedisEntries.CacheLease? lease)
    {
        if (value is null)
        {
            return;
        }

        var (body, count) = (CacheFormat.Serialize(value), counts.Of(work.Key));
        if (body.Length > CacheFormat.MaximumBody)
        {
            count.WasTooLarge();
            return;
        }

        var keepFor = KeepFor(work.Options);
        entries.Put(
            work.Key, new CacheEntry(value, work.Names, count, SizeOf(work.Key, body.Length), Life(started, keepFor * RefreshAt, Local(work.Options, keepFor))));
        if (marks is not null)
        {
            // Time has passed since it was begun, and counts.
            var now = clock.GetUtcNow();
            var created = now - clock.GetElapsedTime(started);
            var payload = CacheFormat.Write(marks, CacheShape<T>.Value, created, created + keepFor, body);
            await redis!.WriteAsync(work.Key, payload, keepFor + UsableLonger, lease);
        }
    }

    private static TimeSpan KeepFor(HybridCacheEntryOptions? options) =>
        options?.Expiration is { } asked ? (asked < LongestExpiration ? asked : LongestExpiration) : DefaultExpiration;

    private static TimeSpan Local(HybridCacheEntryOptions? options, TimeSpan keepFor) =>
        options?.LocalCacheExpiration is { } asked && asked < keepFor ? asked : keepFor;

    /// <summary>In memory an answer takes about twice its JSON, and something for itself and its key.</summary>
    private static int SizeOf(string key, int body) => 300 + (2 * (key.Length + body));

    private CacheLife Life(long started, TimeSpan refreshIn, TimeSpan keepFor) =>
        new(started, started + Ticks(refreshIn), started + Ticks(keepFor), started + Ticks(keepFor + UsableLonger));

    private long Ticks(TimeSpan time) => (long)(time.TotalSeconds * clock.TimestampFrequency);

    /// <summary>Nobody waits for what comes of it; what failed was logged.</summary>
    private static void Forgive(Task answer) =>
        _ = answer.ContinueWith(failed => failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The source of cached answers '{Prefix}' failed")]
    private partial void LogFailed(string prefix, Exception exception);
}
