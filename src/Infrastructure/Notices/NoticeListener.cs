using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Vtp.Infrastructure.Notices;

/// <summary>Who wants to know what PostgreSQL notifies on one channel; constants of ours.</summary>
internal sealed record NoticeChannel(string Name, Action Heard);

/// <summary>
/// Hears of what other nodes commit, on one connection for all channels. Nothing may depend on it: while it is deaf, all
/// that is waited for is looked for each second.
/// </summary>
internal sealed partial class NoticeListener(NpgsqlDataSource database, IEnumerable<NoticeChannel> channels, ILogger<NoticeListener> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    // A connection that fell silent looks like one on which nothing happens.
    private static readonly TimeSpan Doubt = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, Action> _heard = channels.ToDictionary(channel => channel.Name, channel => channel.Heard, StringComparer.Ordinal);

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
        connection.Notification += (_, notice) => _heard.GetValueOrDefault(notice.Channel)?.Invoke();
        await ExecuteAsync(connection, string.Join("; ", _heard.Keys.Select(channel => $"LISTEN {channel}")), cancellationToken);

        // What was committed while nobody listened.
        foreach (var heard in _heard.Values)
        {
            heard();
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
