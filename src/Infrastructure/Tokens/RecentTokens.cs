using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Vtp.Infrastructure.Tokens;

/// <summary>
/// Two generations of a dictionary: when the young one is full it becomes the old one, and the old one is forgotten.
/// What is still used moves back to the young one. Bounded, without a lock or a clock.
/// </summary>
internal sealed class RecentTokens(int capacity)
{
    private Generation _young = new();
    private Generation _old = new();

    public bool TryGet(string token, [NotNullWhen(true)] out VerifiedToken? verified)
    {
        if (_young.Tokens.TryGetValue(token, out verified))
        {
            return true;
        }

        if (!_old.Tokens.TryGetValue(token, out verified))
        {
            return false;
        }

        Add(token, verified);
        return true;
    }

    public void Add(string token, VerifiedToken verified)
    {
        var young = _young;
        if (young.Tokens.TryAdd(token, verified)
            && Interlocked.Increment(ref young.Count) > capacity / 2
            && Interlocked.CompareExchange(ref _young, new Generation(), young) == young)
        {
            _old = young;
        }
    }

    private sealed class Generation
    {
        public readonly ConcurrentDictionary<string, VerifiedToken> Tokens = new(StringComparer.Ordinal);
        public int Count;
    }
}
