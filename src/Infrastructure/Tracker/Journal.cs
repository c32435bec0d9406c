using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vtp.Application.Events;
using Vtp.Domain.Common;
using Vtp.Domain.Tracker;
using Vtp.Infrastructure.Events;

namespace Vtp.Infrastructure.Tracker;

/// <summary>
/// The one writer of the swarms on this node: takes all changes that wait, decides them one after the other, writes what they
/// do in one transaction, and then lets memory and callers know. Nodes take turns: a batch that another node was faster than
/// is decided anew, with what that one wrote.
/// </summary>
internal sealed partial class Journal(
    NpgsqlDataSource database, Memory memory, EventWakes wakes, IEventSignal signal, TrackerMetrics metrics, TimeProvider clock, ILogger<Journal> logger) : BackgroundService
{
    private const int MostWaiting = 16_384;
    private const int MostAtOnce = 2048;
    private const int HeaviestBatch = 32 * 1024 * 1024;
    private const int SeenAtOnce = 256;

    /// <summary>A database that answers later than that is away: callers do not wait for longer.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(20);

    // Where another node writes too, the turn is waited for rather than tried for.
    private static readonly TimeSpan SharedFor = TimeSpan.FromSeconds(10);

    private readonly Channel<Change> _queue = Channel.CreateBounded<Change>(new BoundedChannelOptions(MostWaiting) { SingleReader = true });
    private NpgsqlConnection? _connection;
    private bool _isBehind;
    private bool _isAway;
    private long? _lostTurnAt;

    /// <summary>Since when the database has answered without a break; null while it does not.</summary>
    public DateTimeOffset? AnswersSince { get; private set; }

    public int Waiting => _queue.Reader.Count;

    public bool TryAdd(Change change) => _queue.Writer.TryWrite(change);

    public async ValueTask<Result<T>> WriteAsync<T>(Change<T> change)
        where T : notnull =>
        TryAdd(change) ? await change.Done : TrackerRefusals.Busy;

    /// <summary>All swarms are known before the first request comes.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await CatchUpAsync(cancellationToken);
        AnswersSince = clock.GetUtcNow();
        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        RefuseAll();
        await CloseAsync();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(WriteAsync(stoppingToken), PollAsync(stoppingToken), ListenAsync(stoppingToken));

    private async Task WriteAsync(CancellationToken stoppingToken)
    {
        var changes = new List<Change>(MostAtOnce);
        while (await _queue.Reader.WaitToReadAsync(stoppingToken))
        {
            changes.Clear();
            var (weight, looks) = (0, false);
            while (changes.Count < MostAtOnce && weight < HeaviestBatch && _queue.Reader.TryRead(out var change))
            {
                if (change is Look)
                {
                    looks = true;
                }
                else
                {
                    changes.Add(change);
                    weight += change.Weight;
                }
            }

            await RoundAsync(changes, looks);
        }
    }

    /// <summary>Never throws: the next changes must find somebody who takes them.</summary>
    private async Task RoundAsync(List<Change> changes, bool looks)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await ConnectAsync(patience.Token);
            if (looks)
            {
                await LookAsync(patience.Token);
            }

            if (changes.Count > 0)
            {
                await WriteAsync(changes, patience.Token);
            }

            await WriteSeenAsync(patience.Token);
            Answers();
        }
        catch (PostgresException exception) when (!IsOutage(exception))
        {
            await CloseAsync();
            await WriteSinglyAsync(changes, exception);
        }
#pragma warning disable CA1031 // Whatever it is, callers are told that nobody knows.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            await CloseAsync();
            (_isBehind, AnswersSince) = (true, null);
            if (!_isAway)
            {
                _isAway = true;
                LogAway(exception);
            }

            foreach (var change in changes)
            {
                change.Refuse(TrackerRefusals.DatabaseAway);
            }
        }
    }

    private async Task WriteAsync(List<Change> changes, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        Batch batch;
        if (IsShared || changes.Exists(change => change is SweepChange))
        {
            batch = await WriteLockedAsync(changes, cancellationToken);
        }
        else
        {
            try
            {
                batch = Plan(changes);
                if (!batch.IsEmpty)
                {
                    await using var write = JournalStatements.Write(_connection!, batch);
                    await write.ExecuteNonQueryAsync(cancellationToken);
                }
            }
            catch (PostgresException exception) when (exception.SqlState == JournalStatements.LostTurn)
            {
                _lostTurnAt = clock.GetTimestamp();
                batch = await WriteLockedAsync(changes, cancellationToken);
            }
        }

        if (!batch.IsEmpty)
        {
            batch.Apply();
            metrics.Wrote(changes.Count, Stopwatch.GetElapsedTime(started));
            if (batch.Events.Count > 0)
            {
                wakes.Wake();
            }
        }

        foreach (var change in changes)
        {
            change.Complete();
        }
    }

    /// <summary>Waits for the turn, learns what others wrote, and decides then.</summary>
    private async Task<Batch> WriteLockedAsync(List<Change> changes, CancellationToken cancellationToken)
    {
        await using var transaction = await _connection!.BeginTransactionAsync(cancellationToken);
        await JournalReader.CatchUpInsideAsync(_connection, JournalStatements.LockHead, memory, clock.GetUtcNow(), cancellationToken);
        foreach (var sweep in changes.OfType<SweepChange>().Where(sweep => sweep.Peers.Count > 0))
        {
            await JournalReader.RefreshAsync(_connection, memory, sweep.Peers, cancellationToken);
        }

        var batch = Plan(changes);
        if (!batch.IsEmpty)
        {
            await using var write = JournalStatements.Write(_connection, batch);
            await write.ExecuteNonQueryAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return batch;
    }

    private Batch Plan(List<Change> changes)
    {
        var batch = new Batch(memory, clock.GetUtcNow());
        foreach (var change in changes)
        {
            change.Plan(batch);
        }

        return batch;
    }

    /// <summary>The database will not have one of them: that one fails, and the others are done.</summary>
    private async Task WriteSinglyAsync(List<Change> changes, PostgresException reason)
    {
        _isBehind = true;
        if (changes is [var only])
        {
            LogRefused(reason);
            only.Fail(reason);
            return;
        }

        foreach (var change in changes.ToArray())
        {
            await RoundAsync([change], looks: false);
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(JournalStatements.Head, _connection);
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            await reader.ReadAsync(cancellationToken);
            if (reader.GetInt64(0) == memory.Version)
            {
                return;
            }
        }

        _lostTurnAt = clock.GetTimestamp();
        await JournalReader.CatchUpAsync(_connection!, memory, clock.GetUtcNow(), cancellationToken);
    }

    /// <summary>Some of them at a time, so that those who announce do not wait for those who only live.</summary>
    private async Task WriteSeenAsync(CancellationToken cancellationToken)
    {
        if (memory.Unwritten.IsEmpty)
        {
            return;
        }

        var peers = new List<Peer>(SeenAtOnce);
        while (peers.Count < SeenAtOnce && memory.Unwritten.TryDequeue(out var peer))
        {
            peer.Writing();
            peers.Add(peer);
        }

        try
        {
            await using var seen = JournalStatements.Seen(_connection!, [.. peers]);
            await seen.ExecuteNonQueryAsync(cancellationToken);
        }
        catch
        {
            foreach (var peer in peers)
            {
                memory.Touch(peer, peer.LastSeen, origin: null);
            }

            throw;
        }

        if (!memory.Unwritten.IsEmpty)
        {
            TryAdd(Look.Again);
        }
    }

    private bool IsShared => _lostTurnAt is { } lost && clock.GetElapsedTime(lost) < SharedFor;

    private async Task ConnectAsync(CancellationToken cancellationToken)
    {
        if (_connection is null)
        {
            _connection = await database.OpenConnectionAsync(cancellationToken);
        }

        if (_isBehind)
        {
            await JournalReader.CatchUpAsync(_connection, memory, clock.GetUtcNow(), cancellationToken);
            _isBehind = false;
        }
    }

    private async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await JournalReader.CatchUpAsync(connection, memory, clock.GetUtcNow(), cancellationToken);
    }

    private void Answers()
    {
        AnswersSince ??= clock.GetUtcNow();
        if (_isAway)
        {
            _isAway = false;
            LogBack();
        }
    }

    private async Task CloseAsync()
    {
        if (_connection is { } connection)
        {
            _connection = null;
            await connection.DisposeAsync();
        }
    }

    private void RefuseAll()
    {
        _queue.Writer.TryComplete();
        while (_queue.Reader.TryRead(out var change))
        {
            change.Refuse(TrackerRefusals.Busy);
        }
    }

    private async Task PollAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Poll);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            TryAdd(Look.Again);
        }
    }

    /// <summary>Whenever the log of events has grown, which is when another node has written, or this one.</summary>
    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await signal.Growth.WaitAsync(stoppingToken);
            TryAdd(Look.Again);
            await Task.Delay(Rest, stoppingToken);
        }
    }

    private static bool IsOutage(PostgresException exception) =>
        exception.IsTransient || exception.SqlState is ['5', '3' or '7' or '8', ..] or ['0', '8', ..] or ['4', '0', ..];

    [LoggerMessage(Level = LogLevel.Warning, Message = "The tracker cannot write: peers are refused until the database answers")]
    private partial void LogAway(Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "The tracker writes again")]
    private partial void LogBack();

    [LoggerMessage(Level = LogLevel.Error, Message = "The database refused a change of the tracker")]
    private partial void LogRefused(Exception exception);

    /// <summary>Nothing to write: see what others wrote.</summary>
    private sealed class Look : Change
    {
        public static readonly Look Again = new();

        public override void Plan(Batch batch) => throw new InvalidOperationException("There is nothing to plan.");

        public override void Complete() => throw new InvalidOperationException("Nobody waits for it.");

        public override void Refuse(Refusal refusal)
        {
            // Nobody waits for it.
        }

        public override void Fail(Exception exception) => throw new InvalidOperationException("Nobody waits for it.");
    }
}
