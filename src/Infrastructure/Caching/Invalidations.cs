using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using StackExchange.Redis;
using Vtp.Infrastructure.Persistence;
using Vtp.Infrastructure.Redis;

namespace Vtp.Infrastructure.Caching;

/// <summary>Something on every node that looks at once when a message names it: a look by itself now and then is its net.</summary>
internal sealed record Nudge(string Name, Action Wake);

/// <summary>
/// Tells all nodes what was removed: by PostgreSQL, which must be there anyway, and by Redis besides where there is one. A
/// message that arrives by both counts once. It is <c>{id} {1: Redis knows of it} {names}</c>.
/// </summary>
internal sealed partial class Invalidations : BackgroundService
{
    public const string Channel = "vtp_removed";

    // PostgreSQL carries less than 8000 bytes.
    private const int MaximumNames = 25;
    private const int MaximumUntold = 1000;
    private const int Remembered = 4096;
    private const string Notify = "SELECT pg_notify('" + Channel + "', $1)";
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly NpgsqlDataSource _database;
    private readonly Removals _removals;
    private readonly RedisConnection? _connection;
    private readonly RedisEntries? _redis;
    private readonly Dictionary<string, Action> _nudges;
    private readonly ILogger<Invalidations> _logger;
    private readonly ConcurrentQueue<string> _untold = new();
    private readonly long[] _heard = new long[Remembered];

    public Invalidations(
        [FromKeyedServices(Connections.Reads)] NpgsqlDataSource database,
        Removals removals,
        IEnumerable<Nudge> nudges,
        ILogger<Invalidations> logger,
        RedisConnection? connection = null,
        RedisEntries? redis = null)
    {
        (_database, _removals, _logger, _connection, _redis) = (database, removals, logger, connection, redis);
        removals.IsDeaf = true;
        _nudges = nudges.ToDictionary(nudge => nudge.Name, nudge => nudge.Wake, StringComparer.Ordinal);
    }

    /// <summary>Ends when every node that hears has been told; one that does not hear finds out when it does again.</summary>
    public async Task RemoveAsync(IReadOnlyCollection<string> names)
    {
        _removals.Add(names);
        foreach (var some in names.Chunk(MaximumNames))
        {
            var (id, text) = (NewId(), string.Join(' ', some));
            var isKnown = _redis is null || await _redis.RemoveAsync(some, $"{id} 1 {text}");
            await TellAsync($"{id} {(isKnown ? 1 : 0)} {text}");
        }
    }

    /// <summary>Something that others look at has changed and is committed.</summary>
    public async Task NudgeAsync(string name)
    {
        var message = $"{NewId()} 1 {name}";
        if (_connection is not null)
        {
            await _connection.AskAsync(database => database.PublishAsync(_redis!.Channel, message), CancellationToken.None);
        }

        await TellAsync(message);
    }

    public void Heard(string message)
    {
        var parts = message.Split(' ');
        if (parts.Length < 3 || !long.TryParse(parts[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var id))
        {
            return;
        }

        // Two messages that share a place in it are at worst both acted upon twice.
        if (Interlocked.Exchange(ref _heard[(ulong)id % Remembered], id) == id)
        {
            return;
        }

        if (_nudges.TryGetValue(parts[2], out var wake))
        {
            wake();
            return;
        }

        var names = parts.AsSpan(2).ToArray();
        _removals.Add(names);
        if (parts[1] == "0" && _redis is not null)
        {
            _ = _redis.RemoveAsync(names, message: null).AsTask();
        }
    }

    /// <summary>PostgreSQL tells what happens from now on; what it told before may not have been heard.</summary>
    public void Listens()
    {
        _removals.Add(CacheNames.Everything);
        _removals.IsDeaf = false;
        foreach (var wake in _nudges.Values)
        {
            wake();
        }
    }

    public void Deaf() => _removals.IsDeaf = true;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_connection?.Subscriber is { } subscriber)
        {
            // One that is not there yet is subscribed to when it comes.
            _ = subscriber.SubscribeAsync(_redis!.Channel, (_, message) => Heard((string?)message ?? ""))
                .ContinueWith(failed => failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }

        // A node may have died between a commit and telling of it, and nobody knows which: those that live cannot see what it
        // had not said, and the sign of one that was killed looks for a while like that of one that runs. Whoever starts makes
        // up for that, although most starts follow a node that had told everything; what was asked for last is then read ahead.
        _redis?.Doubt();
        _untold.Enqueue($"{NewId()} 0 {CacheNames.Everything}");
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        do
        {
            await TellAgainAsync(stoppingToken);
            await Task.Delay(Pause, stoppingToken);
        }
        while (!stoppingToken.IsCancellationRequested);
    }

    private async Task TellAsync(string message)
    {
        try
        {
            await NotifyAsync(message, CancellationToken.None);
        }
        catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException or TimeoutException)
        {
            LogUntold(exception);
            _untold.Enqueue(message);
        }
    }

    private async Task TellAgainAsync(CancellationToken cancellationToken)
    {
        if (_untold.Count > MaximumUntold)
        {
            _untold.Clear();
            _untold.Enqueue($"{NewId()} 0 {CacheNames.Everything}");
        }

        try
        {
            while (_untold.TryPeek(out var message))
            {
                await NotifyAsync(message, cancellationToken);
                _untold.TryDequeue(out _);
            }
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogUntold(exception);
        }
    }

    private async Task NotifyAsync(string message, CancellationToken cancellationToken)
    {
        await using var command = _database.CreateCommand(Notify);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = message });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private long NewId()
    {
        // What this node says it need not hear.
        var id = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));
        Volatile.Write(ref _heard[(ulong)id % Remembered], id);
        return id;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Other nodes could not be told through PostgreSQL what was removed; trying again each second")]
    private partial void LogUntold(Exception exception);
}
