using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Vtp.Domain.Identity.Sessions;
using Vtp.Infrastructure.Notices;
using Vtp.Infrastructure.Persistence;
using Vtp.Infrastructure.Tokens;

namespace Vtp.Infrastructure.Sessions;

/// <summary>
/// Every session that has ended while one of its access tokens may still live. Sessions that end on this node are here
/// at once; those of other nodes are read when these tell of them, and each second in any case. When that has not succeeded for two seconds, requests ask the
/// database themselves, so that an old answer is never taken for a new one.
/// </summary>
internal sealed partial class EndedSessions(
    [FromKeyedServices(Connections.Reads)] NpgsqlDataSource database, IOptions<TokenOptions> options, TimeProvider clock, ILogger<EndedSessions> logger) : BackgroundService
{
    /// <summary>What is told of a session that has ended.</summary>
    public const string Channel = "!sessions";

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Trusted = TimeSpan.FromSeconds(2);

    // A transaction that ended a session may commit some time after the moment that was written down.
    private static readonly TimeSpan Overlap = TimeSpan.FromSeconds(90);

    // Who is told reads little, because many may be told; what is missed is read with the next poll.
    private static readonly TimeSpan Recent = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<SessionId, long> _ended = new();
    private readonly Wakes _told = new();
    private long _readAt;

    public void Add(SessionId id) => _ended.TryAdd(id, clock.GetTimestamp());

    public void Wake() => _told.Wake();

    public ValueTask<bool> ContainsAsync(SessionId id, CancellationToken cancellationToken)
    {
        if (_ended.ContainsKey(id))
        {
            return ValueTask.FromResult(true);
        }

        return clock.GetElapsedTime(Volatile.Read(ref _readAt)) <= Trusted
            ? ValueTask.FromResult(false)
            : AskAsync(id, cancellationToken);
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await ReadAllAsync(options.Value.AccessLifetime + Overlap, cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(PollAsync(stoppingToken), ListenAsync(stoppingToken));

    private async Task PollAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Poll);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await ReadAllAsync(Overlap, stoppingToken);
                Forget();
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogReadFailed(exception);
            }
        }
    }

    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await _told.WaitAsync(stoppingToken);
            try
            {
                await ReadAsync(Recent, stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogReadFailed(exception);
            }

            await Task.Delay(Rest, stoppingToken);
        }
    }

    private async Task ReadAllAsync(TimeSpan window, CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        await ReadAsync(window, cancellationToken);
        Volatile.Write(ref _readAt, started);
    }

    private async Task ReadAsync(TimeSpan window, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT id FROM sessions WHERE end_recorded_at > clock_timestamp() - $1");
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = window });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            Add(new SessionId(reader.GetGuid(0)));
        }
    }

    private void Forget()
    {
        var lifetime = options.Value.AccessLifetime + AccessTokens.Skew;
        foreach (var (id, _) in _ended.Where(ended => clock.GetElapsedTime(ended.Value) > lifetime))
        {
            _ended.TryRemove(id, out _);
        }
    }

    private async ValueTask<bool> AskAsync(SessionId id, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT ended_at IS NOT NULL FROM sessions WHERE id = $1");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id.Value });
        return await command.ExecuteScalarAsync(cancellationToken) is not false;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Ended sessions could not be read; requests ask the database until they can")]
    private partial void LogReadFailed(Exception exception);
}
