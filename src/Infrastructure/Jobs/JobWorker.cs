using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vtp.Application.Common;

namespace Vtp.Infrastructure.Jobs;

/// <summary>
/// Takes turns with the other nodes: gives up what is done and claims as much as it can run, in one round trip. Only this
/// loop speaks to the queue; the jobs themselves run beside it. When the server stops it lets them end, cancels those that
/// do not, and gives them back.
/// </summary>
internal sealed partial class JobWorker(
    JobStore store,
    JobRunner runner,
    JobKinds kinds,
    JobWakes wakes,
    JobOptions options,
    JobMetrics metrics,
    TimeProvider clock,
    IHostApplicationLifetime lifetime,
    ILogger<JobWorker> logger) : BackgroundService
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    // For cancelled jobs to end, and for the last words to the database.
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(2);

    // What has waited longer for a place here may find one elsewhere.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);
    private const int WaitingPerPlace = 4;

    // Both are this loop's own; a run that has ended is in the queue, and held until the database knows.
    private readonly Dictionary<(Guid Id, int Claim), Held> _held = [];
    private readonly Dictionary<string, Guid> _lastLane = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<Held> _ended = new();
    private readonly List<Held> _unsettled = [];

    // Claimed before there was a place for them, so that quick jobs need not wait for a turn each.
    private readonly ConcurrentQueue<Held> _waiting = new();
    private int _running;
    private int _pace;

    private long _tidiedAt;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // From the moment that the server begins to stop, beside the requests that it still answers.
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lifetime.ApplicationStopping);
        await using var timer = clock.CreateTimer(static wakes => ((JobWakes)wakes!).Wake(), wakes, Poll, Poll);
        while (!stopping.IsCancellationRequested)
        {
            await RoundAsync(isClaiming: true);
            await wakes.WaitAsync(stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await DrainAsync();
    }

    /// <summary>Until there is nothing more to do now. What the database does not hear this time it is told the next.</summary>
    private async Task RoundAsync(bool isClaiming)
    {
        try
        {
            var isMore = false;
            if (clock.GetElapsedTime(_tidiedAt) >= Poll)
            {
                await GiveBackLateAsync();
                await RenewAsync();
                isMore = isClaiming && await store.TidyAsync(CancellationToken.None);
                _tidiedAt = clock.GetTimestamp();
            }

            while (await TakeTurnAsync(isClaiming))
            {
                if (isMore || clock.GetElapsedTime(_tidiedAt) >= Poll)
                {
                    // Leases want to be renewed while there is always more to do.
                    wakes.Wake();
                    break;
                }
            }

            if (isMore)
            {
                _tidiedAt = 0;
                wakes.Wake();
            }
        }
#pragma warning disable CA1031 // Whatever one round meets, the next is to come.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogDatabaseAway(exception);
        }
    }

    /// <returns>Whether another turn may find more.</returns>
    private async Task<bool> TakeTurnAsync(bool isClaiming)
    {
        for (_pace = 0; _ended.TryDequeue(out var ended); _pace++)
        {
            if (_held.ContainsKey(ended.Key))
            {
                _unsettled.Add(ended);
            }
            else
            {
                ended.Dispose(); // Lost, and known to be.
            }
        }

        FillPlaces();
        await SettleFailedAsync();
        Held[] done = [.. _unsettled.Where(held => held.Outcome == Outcome.Done)];
        var (wanted, free) = isClaiming ? Wants() : ([], 0);
        if (done.Length == 0 && wanted.Count == 0)
        {
            return false;
        }

        var turn = await store.TakeTurnAsync([.. done.Select(held => held.Job)], wanted, free, CancellationToken.None);
        foreach (var held in done)
        {
            Forget(held, turn.Completed.Contains(held.Key));
        }

        foreach (var (kind, lane) in turn.LastLane)
        {
            _lastLane[kind] = lane;
        }

        foreach (var job in turn.Claimed)
        {
            var held = new Held(job, clock.GetTimestamp());
            _held.Add(held.Key, held);
            _waiting.Enqueue(held);
        }

        FillPlaces();

        return turn.Claimed.Count > 0 || !_ended.IsEmpty;
    }

    /// <summary>As many as have a place, and as many more as ended since the last turn: while jobs are slow, none.</summary>
    private (List<Wanted> Kinds, int Free) Wants()
    {
        var running = _held.Values.Where(held => held.Outcome == Outcome.None).ToList();
        var free = options.Concurrency + Math.Min(_pace, options.Concurrency * WaitingPerPlace) - running.Count;
        if (free <= 0)
        {
            return ([], 0);
        }

        var busy = running.CountBy(held => held.Job.Kind).ToDictionary();
        return ([.. kinds.All.Select(kind => new Wanted(kind, Slots(kind), _lastLane.GetValueOrDefault(kind.Name))).Where(wanted => wanted.Slots > 0)], free);

        int Slots(JobKind kind) =>
            kind.Policy.PerNode == 0 ? free : Math.Min(free, kind.Policy.PerNode - busy.GetValueOrDefault(kind));
    }

    private async Task SettleFailedAsync()
    {
        foreach (var held in _unsettled.Where(held => held.Outcome == Outcome.Failed).ToList())
        {
            var (job, fault) = (held.Job, held.Fault!);
            var isDead = fault.IsPoison || job.Attempt >= job.MaxAttempts;
            var isOurs = await store.FailAsync(job, fault, isDead, CancellationToken.None);
            Forget(held, isOurs);
            if (isOurs && isDead)
            {
                metrics.Dead(job.Kind.Name);
                LogDead(job.Kind.Name, job.Id, job.Attempt, fault.Type);
            }
        }
    }

    private void Forget(Held held, bool isOurs)
    {
        _held.Remove(held.Key);
        _unsettled.Remove(held);
        held.Dispose();
        if (!isOurs)
        {
            LogLost(held.Job.Kind.Name, held.Job.Id);
        }
        else if (held.Outcome == Outcome.Done)
        {
            metrics.Ran(held.Job.Kind.Name);
        }
        else
        {
            metrics.Failed(held.Job.Kind.Name);
        }
    }

    private void FillPlaces()
    {
        while (Volatile.Read(ref _running) < options.Concurrency && _waiting.TryDequeue(out var held))
        {
            Interlocked.Increment(ref _running);
            _ = Task.Run(() => RunAsync(held));
        }
    }

    /// <summary>One place: this job, then those that wait.</summary>
    private async Task RunAsync(Held held)
    {
        for (var next = held; next is not null; _waiting.TryDequeue(out next))
        {
            try
            {
                next.Fault = await runner.RunAsync(next.Job, next.Cancellation);
                next.Outcome = next.Fault is null ? Outcome.Done : Outcome.Failed;
            }
            catch (OperationCanceledException)
            {
                next.Outcome = Outcome.Interrupted;
            }

            _ended.Enqueue(next);
            wakes.Wake();
        }

        Interlocked.Decrement(ref _running);
        wakes.Wake();
    }

    private async Task GiveBackLateAsync()
    {
        var late = new List<Held>();
        while (_waiting.TryPeek(out var first) && clock.GetElapsedTime(first.RenewedAt) >= LongestWait && _waiting.TryDequeue(out var held))
        {
            late.Add(held);
        }

        if (late.Count > 0)
        {
            // Should the database not hear of it, their leases run out.
            late.ForEach(held => _held.Remove(held.Key));
            await store.GiveBackAsync([.. late.Select(held => held.Job)], CancellationToken.None);
            late.ForEach(held => held.Dispose());
        }
    }

    /// <summary>A third of a lease is time enough for two more tries. A run whose job another node may have is ended.</summary>
    private async Task RenewAsync()
    {
        Held[] due = [.. _held.Values.Where(held => clock.GetElapsedTime(held.RenewedAt).TotalSeconds * 3 >= held.Job.Kind.Policy.LeaseSeconds)];
        if (due.Length == 0)
        {
            return;
        }

        var renewed = await store.RenewAsync([.. due.Select(held => held.Job)], CancellationToken.None);
        foreach (var held in due)
        {
            if (renewed.Contains(held.Key))
            {
                held.RenewedAt = clock.GetTimestamp();
            }
            else
            {
                LogLost(held.Job.Kind.Name, held.Job.Id);
                _held.Remove(held.Key);
                await held.CancelAsync();
            }
        }
    }

    private async Task DrainAsync()
    {
        while (_waiting.TryDequeue(out var waiting))
        {
            waiting.Outcome = Outcome.Interrupted;
        }

        await SettleUntilIdleAsync(options.Drain);
        foreach (var held in _held.Values)
        {
            await held.CancelAsync();
        }

        await SettleUntilIdleAsync(LastWords);
        Held[] left = [.. _held.Values.Where(held => held.Outcome is Outcome.None or Outcome.Interrupted)];
        if (left.Length == 0)
        {
            return;
        }

        try
        {
            await store.GiveBackAsync([.. left.Select(held => held.Job)], CancellationToken.None).WaitAsync(LastWords);
            LogGivenBack(left.Length);
        }
        catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException or TimeoutException)
        {
            LogDatabaseAway(exception); // Their leases run out.
        }
    }

    private async Task SettleUntilIdleAsync(TimeSpan patience)
    {
        using var deadline = new CancellationTokenSource(patience, clock);
        while (true)
        {
            await RoundAsync(isClaiming: false);
            if (_held.Values.All(held => held.Outcome == Outcome.Interrupted) || deadline.IsCancellationRequested)
            {
                return;
            }

            await wakes.WaitAsync(deadline.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The queue of jobs could not be read; trying again")]
    private partial void LogDatabaseAway(Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "Job {Kind} {Id} was given up at attempt {Attempt}: {Fault}")]
    private partial void LogDead(string kind, Guid id, int attempt, string fault);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Job {Kind} {Id} was lost: its lease ran out, and what this node says of it no longer counts")]
    private partial void LogLost(string kind, Guid id);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} jobs were interrupted and given back")]
    private partial void LogGivenBack(int count);

    private enum Outcome
    {
        None,
        Done,
        Failed,
        Interrupted,
    }

    private sealed class Held(ClaimedJob job, long claimedAt) : IDisposable
    {
        private readonly CancellationTokenSource _cancellation = new();
        private volatile Outcome _outcome;

        public ClaimedJob Job => job;

        public (Guid Id, int Claim) Key => (job.Id, job.Claim);

        public long RenewedAt { get; set; } = claimedAt;

        public CancellationToken Cancellation => _cancellation.Token;

        public JobFault? Fault { get; set; }

        public Outcome Outcome
        {
            get => _outcome;
            set => _outcome = value;
        }

        public Task CancelAsync() => _cancellation.CancelAsync();

        public void Dispose() => _cancellation.Dispose();
    }
}
