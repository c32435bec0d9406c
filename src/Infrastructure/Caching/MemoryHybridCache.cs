using System.Collections.Concurrent;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Caching.Memory;

namespace Vtp.Infrastructure.Caching;

/// <summary>
/// The framework's <see cref="HybridCache"/> in this process: one factory call a key however many wait for it, and
/// removal by tag. Its hybrid side, Redis, needs another node to be worth anything.
/// </summary>
internal sealed class MemoryHybridCache(TimeProvider clock) : HybridCache, IDisposable
{
    private const int MaximumEntries = 10_000;
    private static readonly TimeSpan DefaultExpiration = TimeSpan.FromMinutes(5);

    private readonly MemoryCache _entries = new(new MemoryCacheOptions { SizeLimit = MaximumEntries });
    private readonly ConcurrentDictionary<string, Lazy<Task<object?>>> _running = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _removedTags = new(StringComparer.Ordinal);

    public override async ValueTask<T> GetOrCreateAsync<TState, T>(
        string key,
        TState state,
        Func<TState, CancellationToken, ValueTask<T>> factory,
        HybridCacheEntryOptions? options = null,
        IEnumerable<string>? tags = null,
        CancellationToken cancellationToken = default)
    {
        if (TryGet(key, out var found))
        {
            return (T)found!;
        }

        // The factory outlives a caller who gives up, because others may be waiting for it.
        var run = _running.GetOrAdd(key, _ => new Lazy<Task<object?>>(async () => await CreateAsync()));
        return (T)(await run.Value.WaitAsync(cancellationToken))!;

        async Task<T> CreateAsync()
        {
            try
            {
                var started = clock.GetTimestamp();
                var value = await factory(state, CancellationToken.None);
                Set(key, value, started, options, tags);
                return value;
            }
            finally
            {
                _running.TryRemove(key, out _);
            }
        }
    }

    public override ValueTask SetAsync<T>(
        string key, T value, HybridCacheEntryOptions? options = null, IEnumerable<string>? tags = null, CancellationToken cancellationToken = default)
    {
        Set(key, value, clock.GetTimestamp(), options, tags);
        return ValueTask.CompletedTask;
    }

    public override ValueTask RemoveAsync(string key, CancellationToken cancellationToken = default)
    {
        _entries.Remove(key);
        return ValueTask.CompletedTask;
    }

    public override ValueTask RemoveByTagAsync(string tag, CancellationToken cancellationToken = default)
    {
        _removedTags[tag] = clock.GetTimestamp();
        return ValueTask.CompletedTask;
    }

    public void Dispose() => _entries.Dispose();

    private void Set<T>(string key, T value, long started, HybridCacheEntryOptions? options, IEnumerable<string>? tags)
    {
        var keepFor = options?.LocalCacheExpiration ?? options?.Expiration ?? DefaultExpiration;
        var entry = new Entry(value, started, started + (long)(keepFor.TotalSeconds * clock.TimestampFrequency), [.. tags ?? []]);
        _entries.Set(key, entry, new MemoryCacheEntryOptions { AbsoluteExpirationRelativeToNow = keepFor, Size = 1 });
    }

    private bool TryGet(string key, out object? value)
    {
        value = null;
        if (!_entries.TryGetValue(key, out Entry? entry) || clock.GetTimestamp() >= entry!.ExpiresAt)
        {
            return false;
        }

        // What was begun before its tag was removed may show what is no longer so.
        if (entry.Tags.Any(tag => _removedTags.TryGetValue(tag, out var removedAt) && removedAt >= entry.Started))
        {
            return false;
        }

        value = entry.Value;
        return true;
    }

    private sealed record Entry(object? Value, long Started, long ExpiresAt, string[] Tags);
}
