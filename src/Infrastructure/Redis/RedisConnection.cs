using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Vtp.Infrastructure.Redis;

/// <summary>
/// This node's one connection to Redis, shared by the commands of all its callers. Redis is optional, and may go away, fall
/// silent and come back at any time: nobody waits for it longer than <see cref="Deadline"/>, and while it is silent only one
/// caller in <see cref="Doubt"/> waits at all.
/// </summary>
internal sealed partial class RedisConnection(ConfigurationOptions options, TimeProvider clock, ILogger<RedisConnection> logger) : IHostedService, IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Doubt = TimeSpan.FromMilliseconds(500);

    // A full Redis refuses every write.
    private static readonly TimeSpan TellRefusalsEvery = TimeSpan.FromMinutes(1);

    private ConnectionMultiplexer? _connection;
    private long _askAgainAt;
    private long _tellRefusalAt = long.MinValue;
    private int _isSilent;

    /// <summary>Redis answers again after it had not: what it told meanwhile was not heard, and what it held may be gone.</summary>
    public event EventHandler? Restored;

    /// <summary>It answered when it was last asked.</summary>
    public bool IsUp => _isSilent == 0 && _connection is { IsConnected: true };

    /// <summary>For subscriptions, which outlive an interruption. Null until the first attempt to connect has ended.</summary>
    public ISubscriber? Subscriber => _connection?.GetSubscriber();

    /// <param name="ask">One command, or a few that are sent together.</param>
    /// <param name="cancellationToken">Of the caller.</param>
    /// <returns>Not answered: Redis is away, silent, or refuses (it may be full); whoever asked goes on without it.</returns>
    public async ValueTask<(bool IsAnswered, T? Answer)> AskAsync<T>(Func<IDatabase, Task<T>> ask, CancellationToken cancellationToken)
    {
        if (_connection is not { IsConnected: true } connection || !MayAsk())
        {
            return default;
        }

        var asked = ask(connection.GetDatabase());
        try
        {
            var answer = await asked.WaitAsync(Deadline, cancellationToken);
            Answered();
            return (true, answer);
        }
        catch (TimeoutException)
        {
            // Nobody waits for what comes of it now.
            _ = asked.ContinueWith(late => late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            Silent();
        }
        catch (RedisConnectionException)
        {
            Silent();
        }
        catch (RedisServerException refusal)
        {
            Answered();
            Refused(refusal);
        }

        return default;
    }

    /// <summary>Ends when the first attempt has, whatever came of it. Afterwards the connection goes on trying by itself.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var connection = await ConnectionMultiplexer.ConnectAsync(options);
        connection.ConnectionFailed += (_, _) => Silent();
        connection.ConnectionRestored += (_, _) => Answered();
        Volatile.Write(ref _connection, connection);
        if (!connection.IsConnected)
        {
            Silent();
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _connection?.Dispose();

    private bool MayAsk()
    {
        if (Volatile.Read(ref _isSilent) == 0)
        {
            return true;
        }

        var (now, askAgainAt) = (clock.GetTimestamp(), Volatile.Read(ref _askAgainAt));
        return now >= askAgainAt && Interlocked.CompareExchange(ref _askAgainAt, now + Ticks(Doubt), askAgainAt) == askAgainAt;
    }

    private void Silent()
    {
        Volatile.Write(ref _askAgainAt, clock.GetTimestamp() + Ticks(Doubt));
        if (Interlocked.Exchange(ref _isSilent, 1) == 0)
        {
            LogSilent();
        }
    }

    private void Answered()
    {
        if (Volatile.Read(ref _isSilent) == 1 && Interlocked.Exchange(ref _isSilent, 0) == 1)
        {
            LogRestored();
            Restored?.Invoke(this, EventArgs.Empty);
        }
    }

    private void Refused(Exception refusal)
    {
        var (now, tellAt) = (clock.GetTimestamp(), Volatile.Read(ref _tellRefusalAt));
        if (now >= tellAt && Interlocked.CompareExchange(ref _tellRefusalAt, now + Ticks(TellRefusalsEvery), tellAt) == tellAt)
        {
            LogRefused(refusal);
        }
    }

    private long Ticks(TimeSpan time) => (long)(time.TotalSeconds * clock.TimestampFrequency);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Redis does not answer; this node goes on without it and keeps trying")]
    private partial void LogSilent();

    [LoggerMessage(Level = LogLevel.Information, Message = "Redis answers again")]
    private partial void LogRestored();

    [LoggerMessage(Level = LogLevel.Warning, Message = "Redis refuses commands; this is said once a minute")]
    private partial void LogRefused(Exception refusal);
}
