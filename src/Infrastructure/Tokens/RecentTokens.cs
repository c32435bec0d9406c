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

    /// <param name="token">Part of a header, of which no copy is made.</param>
    /// <param name="verified">What is remembered of it.</param>
    public bool TryGet(ReadOnlySpan<char> token, [NotNullWhen(true)] out VerifiedToken? verified)
    {
        if (_young.Look.TryGetValue(token, out verified))
        {
            return true;
        }

        if (!_old.Look.TryGetValue(token, out var text, out verified))
        {
            return false;
        }

        Add(text, verified);
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
        public readonly ConcurrentDictionary<string, VerifiedToken>.AlternateLookup<ReadOnlySpan<char>> Look;
        public int Count;

        public Generation() => Look = Tokens.GetAlternateLookup<ReadOnlySpan<char>>();
    }
}
