using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Vtp.Infrastructure.Jobs;

/// <summary>So many jobs at once on this node, and those that were claimed before there was a place for them.</summary>
internal sealed class JobPlaces(int count)
{
    private const int WaitingPerPlace = 4;

    private int _taken;

    /// <summary>Quick jobs need not wait for a turn each.</summary>
    public ConcurrentQueue<HeldJob> Waiting { get; } = new();

    /// <summary>How many ended since the last turn.</summary>
    public int Pace { get; set; }

    /// <summary>As many as have a place, and as many more as ended since the last turn: while jobs are slow, none.</summary>
    public int Free(int running) => Math.Max(0, count + Math.Min(Pace, count * WaitingPerPlace) - running);

    public bool TryTake([NotNullWhen(true)] out HeldJob? job)
    {
        job = null;
        if (Volatile.Read(ref _taken) >= count || !Waiting.TryDequeue(out job))
        {
            return false;
        }

        Interlocked.Increment(ref _taken);
        return true;
    }

    public void Leave() => Interlocked.Decrement(ref _taken);
}

internal enum JobOutcome
{
    None,
    Done,
    Failed,
    Interrupted,
}

/// <summary>A claimed job on this node, from its claim until the database knows how it ended.</summary>
internal sealed class HeldJob(ClaimedJob job, long claimedAt) : IDisposable
{
    private readonly CancellationTokenSource _cancellation = new();
    private volatile JobOutcome _outcome;

    public ClaimedJob Job => job;

    public (Guid Id, int Claim) Key => (job.Id, job.Claim);

    public long RenewedAt { get; set; } = claimedAt;

    public CancellationToken Cancellation => _cancellation.Token;

    public JobFault? Fault { get; set; }

    public JobOutcome Outcome
    {
        get => _outcome;
        set => _outcome = value;
    }

    public Task CancelAsync() => _cancellation.CancelAsync();

    public void Dispose() => _cancellation.Dispose();
}
