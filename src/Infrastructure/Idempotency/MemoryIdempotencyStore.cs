using System.Collections.Concurrent;
using Vtp.Application.Common;

namespace Vtp.Infrastructure.Idempotency;

/// <summary>Answers by key, in this process, for 24 hours; the oldest give way when there are too many.</summary>
internal sealed class MemoryIdempotencyStore(TimeProvider clock) : IIdempotencyStore
{
    private const int Capacity = 10_000;
    private static readonly TimeSpan KeepFor = TimeSpan.FromHours(24);

    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    public ValueTask<(IdempotencyState State, object? Answer)> BeginAsync(string key, byte[] fingerprint, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var mine = new Entry(fingerprint, now, Answer: null);
        while (true)
        {
            var found = _entries.GetOrAdd(key, mine);
            if (ReferenceEquals(found, mine))
            {
                MakeRoom(now);
                return ValueTask.FromResult<(IdempotencyState, object?)>((IdempotencyState.Begun, null));
            }

            if (now - found.BeganAt >= KeepFor)
            {
                _entries.TryRemove(KeyValuePair.Create(key, found));
                continue;
            }

            var state = !found.Fingerprint.AsSpan().SequenceEqual(fingerprint) ? IdempotencyState.Mismatch
                : found.Answer is null ? IdempotencyState.InFlight
                : IdempotencyState.Answered;
            return ValueTask.FromResult((state, found.Answer));
        }
    }

    public ValueTask CompleteAsync(string key, object answer, CancellationToken cancellationToken)
    {
        if (_entries.TryGetValue(key, out var entry))
        {
            _entries[key] = entry with { Answer = answer };
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask AbandonAsync(string key, CancellationToken cancellationToken)
    {
        _entries.TryRemove(key, out _);
        return ValueTask.CompletedTask;
    }

    private void MakeRoom(DateTimeOffset now)
    {
        if (_entries.Count <= Capacity)
        {
            return;
        }

        // A tenth at a time, so that the search for the oldest is paid once in a thousand keys.
        foreach (var entry in _entries.Where(entry => entry.Value.Answer is not null).OrderBy(entry => entry.Value.BeganAt).Take(Capacity / 10))
        {
            _entries.TryRemove(entry);
        }
    }

    private sealed record Entry(byte[] Fingerprint, DateTimeOffset BeganAt, object? Answer);
}
