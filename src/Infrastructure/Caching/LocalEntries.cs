using System.Collections.Concurrent;

namespace Vtp.Infrastructure.Caching;

/// <summary>What this node keeps in memory: no more entries and bytes than it may. What was used longest ago makes room.</summary>
internal sealed class LocalEntries(int maximumEntries, long maximumBytes, TimeProvider clock)
{
    // Room is made for a while, not for one.
    private const double Kept = 0.9;

    private readonly ConcurrentDictionary<string, CacheEntry> _entries = new(StringComparer.Ordinal);
    private readonly Lock _evicting = new();
    private long _bytes;
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public long Bytes => Volatile.Read(ref _bytes);

    public CacheEntry? Find(string key) => _entries.GetValueOrDefault(key);

    /// <summary>Unless one is there that began later.</summary>
    public void Put(string key, CacheEntry entry)
    {
        while (true)
        {
            if (_entries.TryGetValue(key, out var old))
            {
                if (old.Life.StartedAt > entry.Life.StartedAt)
                {
                    return;
                }

                if (!_entries.TryUpdate(key, entry, old))
                {
                    continue;
                }

                Forget(old);
            }
            else if (!_entries.TryAdd(key, entry))
            {
                continue;
            }

            break;
        }

        entry.Count.Added(entry.Bytes);
        Interlocked.Increment(ref _count);
        Interlocked.Add(ref _bytes, entry.Bytes);
        if (IsFull())
        {
            MakeRoom();
        }
    }

    public void Remove(string key, CacheEntry entry)
    {
        if (_entries.TryRemove(new KeyValuePair<string, CacheEntry>(key, entry)))
        {
            Forget(entry);
        }
    }

    private bool IsFull() => Count > maximumEntries || Bytes > maximumBytes;

    private void MakeRoom()
    {
        if (!_evicting.TryEnter())
        {
            return;
        }

        try
        {
            var now = clock.GetTimestamp();
            foreach (var (key, entry) in _entries.OrderBy(entry => entry.Value.Life.UsableUntil > now).ThenBy(entry => entry.Value.UsedAt).ToList())
            {
                if (Count <= maximumEntries * Kept && Bytes <= maximumBytes * Kept)
                {
                    return;
                }

                Remove(key, entry);
                entry.Count.Evicted();
            }
        }
        finally
        {
            _evicting.Exit();
        }
    }

    private void Forget(CacheEntry entry)
    {
        entry.Count.Removed(entry.Bytes);
        Interlocked.Decrement(ref _count);
        Interlocked.Add(ref _bytes, -entry.Bytes);
    }
}
