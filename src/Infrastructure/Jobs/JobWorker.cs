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
    JobTally tally,
    TimeProvider clock,
    IHostApplicationLifetime lifetime,
    ILogger<JobWorker> logger) : BackgroundService
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    // For cancelled jobs to end, and for the last words to the database.
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(2);

    // What has waited longer for a place here may find one elsewhere.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    // Both are this loop's own; a run that has ended is in the queue, and held until the database knows.
    private readonly Dictionary<(Guid Id, int Claim), HeldJob> _held = [];
    private readonly Dictionary<string, Guid> _lastLane = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<HeldJob> _ended = new();
    private readonly List<HeldJob> _unsettled = [];
    private readonly JobPlaces _shared = new(options.Concurrency);
    private readonly Dictionary<string, JobPlaces> _own = kinds.All.Where(kind => kind.Policy.OwnPlaces > 0).ToDictionary(
        kind => kind.Name, kind => new JobPlaces(kind.Policy.OwnPlaces), StringComparer.Ordinal);

    private long _tidiedAt;

    private IEnumerable<JobPlaces> Places => [_shared, .. _own.Values];

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
                await store.CountAsync(CancellationToken.None);
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
        foreach (var places in Places)
        {
            places.Pace = 0;
        }

        while (_ended.TryDequeue(out var ended))
        {
            PlacesOf(ended.Job.Kind).Pace++;
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
        HeldJob[] done = [.. _unsettled.Where(held => held.Outcome == JobOutcome.Done)];
        var (wanted, shared) = isClaiming ? Wants() : ([], 0);
        if (done.Length == 0 && wanted.Count == 0)
        {
            return false;
        }

        var turn = await store.TakeTurnAsync([.. done.Select(held => held.Job)], wanted, shared, CancellationToken.None);
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
            var held = new HeldJob(job, clock.GetTimestamp());
            _held.Add(held.Key, held);
            PlacesOf(job.Kind).Waiting.Enqueue(held);
        }

        FillPlaces();

        return turn.Claimed.Count > 0 || !_ended.IsEmpty;
    }

    private JobPlaces PlacesOf(JobKind kind) => _own.GetValueOrDefault(kind.Name, _shared);

    /// <returns>With how many of the kinds that share places.</returns>
    private (List<Wanted> Kinds, int Shared) Wants()
    {
        var running = _held.Values.Where(held => held.Outcome == JobOutcome.None).CountBy(held => held.Job.Kind.Name).ToDictionary(StringComparer.Ordinal);
        var shared = _shared.Free(running.Where(kind => !_own.ContainsKey(kind.Key)).Sum(kind => kind.Value));
        return ([.. kinds.All.Select(kind => new Wanted(kind, Slots(kind), _lastLane.GetValueOrDefault(kind.Name))).Where(wanted => wanted.Slots > 0)], shared);

        int Slots(JobKind kind) =>
            _own.TryGetValue(kind.Name, out var own) ? own.Free(running.GetValueOrDefault(kind.Name))
            : kind.Policy.PerNode == 0 ? shared
            : Math.Min(shared, kind.Policy.PerNode - running.GetValueOrDefault(kind.Name));
    }

    private async Task SettleFailedAsync()
    {
        foreach (var held in _unsettled.Where(held => held.Outcome == JobOutcome.Failed).ToList())
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

    private void Forget(HeldJob held, bool isOurs)
    {
        _held.Remove(held.Key);
        _unsettled.Remove(held);
        held.Dispose();
        if (!isOurs)
        {
            LogLost(held.Job.Kind.Name, held.Job.Id);
        }
        else if (held.Outcome == JobOutcome.Done)
        {
            metrics.Ran(held.Job.Kind.Name);
            tally.Done(held.Job.Kind.Name);
        }
        else
        {
            metrics.Failed(held.Job.Kind.Name);
            tally.Failed(held.Job.Kind.Name);
        }
    }

    private void FillPlaces()
    {
        foreach (var places in Places)
        {
            while (places.TryTake(out var held))
            {
                _ = Task.Run(() => RunAsync(held, places));
            }
        }
    }

    /// <summary>One place: this job, then those that wait.</summary>
    private async Task RunAsync(HeldJob held, JobPlaces places)
    {
        for (var next = held; next is not null; places.Waiting.TryDequeue(out next))
        {
            try
            {
                next.Fault = await runner.RunAsync(next.Job, next.Cancellation);
                next.Outcome = next.Fault is null ? JobOutcome.Done : JobOutcome.Failed;
            }
            catch (OperationCanceledException)
            {
                next.Outcome = JobOutcome.Interrupted;
            }

            _ended.Enqueue(next);
            wakes.Wake();
        }

        places.Leave();
        wakes.Wake();
    }

    private async Task GiveBackLateAsync()
    {
        var late = new List<HeldJob>();
        foreach (var waiting in Places.Select(places => places.Waiting))
        {
            while (waiting.TryPeek(out var first) && clock.GetElapsedTime(first.RenewedAt) >= LongestWait && waiting.TryDequeue(out var held))
            {
                late.Add(held);
            }
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
        HeldJob[] due = [.. _held.Values.Where(held => clock.GetElapsedTime(held.RenewedAt).TotalSeconds * 3 >= held.Job.Kind.Policy.LeaseSeconds)];
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
        foreach (var places in Places)
        {
            while (places.Waiting.TryDequeue(out var waiting))
            {
                waiting.Outcome = JobOutcome.Interrupted;
            }
        }

        await SettleUntilIdleAsync(options.Drain);
        foreach (var held in _held.Values)
        {
            await held.CancelAsync();
        }

        await SettleUntilIdleAsync(LastWords);
        HeldJob[] left = [.. _held.Values.Where(held => held.Outcome is JobOutcome.None or JobOutcome.Interrupted)];
        try
        {
            if (left.Length > 0)
            {
                await store.GiveBackAsync([.. left.Select(held => held.Job)], CancellationToken.None).WaitAsync(LastWords);
                LogGivenBack(left.Length);
            }

            await store.CountAsync(CancellationToken.None).WaitAsync(LastWords);
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
            if (_held.Values.All(held => held.Outcome == JobOutcome.Interrupted) || deadline.IsCancellationRequested)
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
}
