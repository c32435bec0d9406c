using System.Collections.Concurrent;

namespace Vtp.Infrastructure.Caching;

/// <summary>
/// When this node heard that a name was removed. Entries are not searched for: one that was begun before any of its names
/// was removed is not believed, and so neither is one whose factory still runs.
/// </summary>
internal sealed class Removals(TimeProvider clock)
{
    private const int Maximum = 20_000;
    private static readonly TimeSpan TrustedWhileDeaf = TimeSpan.FromSeconds(1);

    private readonly long _trustedWhileDeaf = (long)(TrustedWhileDeaf.TotalSeconds * clock.TimestampFrequency);
    private ConcurrentDictionary<string, long> _removedAt = new(StringComparer.Ordinal);
    private long _everythingAt = long.MinValue;
    private int _version;
    private volatile bool _isDeaf;

    /// <summary>What other nodes remove is not heard of: an entry is believed for a second.</summary>
    public bool IsDeaf
    {
        get => _isDeaf;
        set => _isDeaf = value;
    }

    public void Add(params IReadOnlyCollection<string> names)
    {
        var now = clock.GetTimestamp();
        foreach (var name in names)
        {
            if (name == CacheNames.Everything || _removedAt.Count >= Maximum)
            {
                // One moment stands for all that are forgotten here.
                Volatile.Write(ref _everythingAt, now);
                Interlocked.Exchange(ref _removedAt, new(StringComparer.Ordinal));
            }
            else
            {
                _removedAt[name] = now;
            }
        }

        Interlocked.Increment(ref _version);
    }

    /// <returns>Whether an entry that was begun then may show what is no longer so.</returns>
    public bool Cover(string[] names, long startedAt)
    {
        if (Volatile.Read(ref _everythingAt) >= startedAt)
        {
            return true;
        }

        var removedAt = Volatile.Read(ref _removedAt);
        foreach (var name in names)
        {
            if (removedAt.TryGetValue(name, out var at) && at >= startedAt)
            {
                return true;
            }
        }

        return Volatile.Read(ref _everythingAt) >= startedAt;
    }

    public bool Cover(CacheEntry entry)
    {
        var version = Volatile.Read(ref _version);
        if (entry.CheckedAt == version)
        {
            return false;
        }

        if (Cover(entry.Names, entry.Life.StartedAt))
        {
            return true;
        }

        entry.CheckedAt = version;
        return false;
    }

    public bool Doubt(CacheEntry entry, long now) => _isDeaf && now - entry.Life.StartedAt > _trustedWhileDeaf;
}
