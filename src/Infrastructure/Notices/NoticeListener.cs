using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Vtp.Infrastructure.Notices;

/// <summary>Who wants to know what PostgreSQL notifies on one channel; constants of ours.</summary>
/// <param name="Heard">With what was sent.</param>
/// <param name="Listening">From now on it is heard; what was sent before may have been missed.</param>
/// <param name="Deaf">From now on it is missed.</param>
internal sealed record NoticeChannel(string Name, Action<string> Heard, Action Listening, Action Deaf)
{
    /// <summary>For a loop that looks by itself whenever it is woken.</summary>
    public NoticeChannel(string name, Action wake)
        : this(name, _ => wake(), wake, () => { })
    {
    }
}

/// <summary>
/// Hears of what other nodes commit, on one connection for all channels. Nothing may depend on it: while it is deaf, all
/// that is waited for is looked for each second.
/// </summary>
internal sealed partial class NoticeListener(NpgsqlDataSource database, IEnumerable<NoticeChannel> channels, ILogger<NoticeListener> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    // A connection that fell silent looks like one on which nothing happens.
    private static readonly TimeSpan Doubt = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, NoticeChannel> _channels = channels.ToDictionary(channel => channel.Name, StringComparer.Ordinal);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogDeaf(exception);
                await Task.Delay(Pause, stoppingToken);
            }
        }
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        connection.Notification += (_, notice) => _channels.GetValueOrDefault(notice.Channel)?.Heard(notice.Payload);
        await ExecuteAsync(connection, string.Join("; ", _channels.Keys.Select(channel => $"LISTEN {channel}")), cancellationToken);

        // What was committed while nobody listened.
        foreach (var channel in _channels.Values)
        {
            channel.Listening();
        }

        try
        {
            while (true)
            {
                if (!await connection.WaitAsync(Doubt, cancellationToken))
                {
                    await ExecuteAsync(connection, "SELECT 1", cancellationToken);
                }
            }
        }
        finally
        {
            foreach (var channel in _channels.Values)
            {
                channel.Deaf();
            }

            // It goes back to the pool, where nothing of this may stay.
            if (connection.FullState == System.Data.ConnectionState.Open)
            {
                await ExecuteAsync(connection, "UNLISTEN *", CancellationToken.None);
            }
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
#pragma warning disable CA2100 // Made of constants.
        await using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What other nodes commit is not heard of; looking for it each second")]
    private partial void LogDeaf(Exception exception);
}
