using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Events;

/// <summary>
/// A part of the server that is told of every event: at least once, in the order of the log. It stands beside others, and
/// one that fails holds up itself alone.
/// </summary>
internal interface IEventConsumer
{
    /// <summary>In the database; renaming it makes a new consumer, which begins with what happens from then on.</summary>
    string Name { get; }

    /// <summary>In the transaction that notes how far it has come, so that what it does there it does once.</summary>
    /// <param name="connection">With that transaction, and a view of every organization.</param>
    /// <param name="after">The last position that it has dealt with.</param>
    /// <param name="upTo">The last position that it is to deal with now.</param>
    /// <param name="cancellationToken">Of the server.</param>
    Task ConsumeAsync(NpgsqlConnection connection, long after, long upTo, CancellationToken cancellationToken);
}

/// <summary>
/// Gives committed events their place in the log, then tells the consumers. Every node does both, one at a time: woken by
/// its own commits, and each second by the clock, for those of a node that died.
/// </summary>
internal sealed partial class EventPump(
    NpgsqlDataSource database, IEnumerable<IEventConsumer> consumers, EventWakes wakes, EventSignal signal, TimeProvider clock, ILogger<EventPump> logger)
    : BackgroundService
{
    private const int PlacedAtOnce = 1000;
    private const int ConsumedAtOnce = 500;
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    private readonly IEventConsumer[] _consumers = [.. consumers];
    private bool _isRegistered;
    private long _head;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var timer = clock.CreateTimer(static wakes => ((EventWakes)wakes!).Wake(), wakes, Poll, Poll);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await RoundAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception);
            }

            await wakes.WaitAsync(stoppingToken);
        }
    }

    private async Task RoundAsync(CancellationToken cancellationToken)
    {
        if (!_isRegistered)
        {
            await RegisterAsync(cancellationToken);
        }

        var (isUnplaced, head, behind) = await LookAsync(cancellationToken);
        while (isUnplaced)
        {
            (head, isUnplaced) = await PlaceAsync(head, cancellationToken);
        }

        if (_head != head)
        {
            _head = head;
            signal.Fire();
        }

        foreach (var consumer in behind < head ? _consumers : [])
        {
            try
            {
                while (await ConsumeAsync(consumer, head, cancellationToken))
                {
                }
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                LogConsumerFailed(consumer.Name, exception);
            }
        }
    }

    private async Task RegisterAsync(CancellationToken cancellationToken)
    {
        foreach (var consumer in _consumers)
        {
            await using var command = database.CreateCommand(EventStatements.Register);
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = consumer.Name });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        _isRegistered = true;
    }

    private async Task<(bool IsUnplaced, long Head, long Behind)> LookAsync(CancellationToken cancellationToken)
    {
        await using var batch = database.CreateSystemCommand(
            EventStatements.Look, new NpgsqlParameter<string[]> { TypedValue = Array.ConvertAll(_consumers, consumer => consumer.Name) });
        await using var reader = await batch.ReadAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetBoolean(0), reader.GetInt64(1), reader.GetInt64(2));
    }

    /// <returns>The head of the log, and whether there may be more to place.</returns>
    private async Task<(long Head, bool IsMore)> PlaceAsync(long head, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateSystemCommand(EventStatements.LockLog);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(EventStatements.Place) { Parameters = { new NpgsqlParameter<int> { TypedValue = PlacedAtOnce } } });
        await using var reader = await batch.ReadAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        var (position, placed) = await reader.ReadAsync(cancellationToken) ? (reader.GetInt64(0), reader.GetInt64(1)) : (head, 0);
        await reader.NextResultAsync(cancellationToken); // Committed is what has been read to its end.
        return (position, placed == PlacedAtOnce);
    }

    /// <returns>Whether there is more for it.</returns>
    private async Task<bool> ConsumeAsync(IEventConsumer consumer, long head, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        long after;
        await using (var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand(ScopedCommands.SetSystem),
                new NpgsqlBatchCommand(EventStatements.LockConsumer) { Parameters = { new NpgsqlParameter<string> { TypedValue = consumer.Name } } },
            },
        })
        await using (var reader = await batch.ReadAsync(cancellationToken))
        {
            await reader.ReadAsync(cancellationToken);
            after = reader.GetInt64(0);
        }

        var upTo = Math.Min(head, after + ConsumedAtOnce);
        if (after >= upTo)
        {
            return false;
        }

        await consumer.ConsumeAsync(connection, after, upTo, cancellationToken);
        await using var advance = new NpgsqlCommand(EventStatements.Advance, connection);
        advance.Parameters.Add(new NpgsqlParameter<string> { TypedValue = consumer.Name });
        advance.Parameters.Add(new NpgsqlParameter<long> { TypedValue = upTo });
        await advance.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return upTo < head;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The event log could not be carried on; trying again")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "Consumer {Consumer} could not take its events; trying again")]
    private partial void LogConsumerFailed(string consumer, Exception exception);
}
