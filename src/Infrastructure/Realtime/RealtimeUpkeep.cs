using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vtp.Application.Realtime;

namespace Vtp.Infrastructure.Realtime;

/// <summary>Tables of the last minutes stay small: each node removes what is too old.</summary>
internal sealed partial class RealtimeUpkeep(
    NpgsqlDataSource database, ConnectionSessions sessions, IBackplane backplane, TimeProvider clock, ILogger<RealtimeUpkeep> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(20);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await sessions.TrimAsync(stoppingToken);
                await ((backplane as PostgresBackplane)?.TrimAsync(stoppingToken) ?? Task.CompletedTask);
                await using var command = database.CreateCommand("DELETE FROM realtime_tickets WHERE expires_at <= $1");
                command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = clock.GetUtcNow() });
                await command.ExecuteNonQueryAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Old messages, sessions and tickets could not be removed; trying again")]
    private partial void LogFailed(Exception exception);
}
