using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vtp.Application.Realtime;
using Vtp.Application.Realtime.Dashboard;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Realtime.Dashboard;

/// <summary>
/// Tells the numbers of each dashboard that is watched, every five seconds: on all nodes together once, by whichever asks
/// first. A node that dies is not waited for, and what nobody watches costs nothing.
/// </summary>
internal sealed partial class DashboardTicker(
    [FromKeyedServices(Connections.Reads)] NpgsqlDataSource database,
    IDashboardAudience audience,
    IDashboardReader dashboards,
    ITopics topics,
    TimeProvider clock,
    ILogger<DashboardTicker> logger) : BackgroundService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(5);

    // A look that comes a moment early is the one that was meant.
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(200);

    private const string Claim =
        """
        INSERT INTO dashboard_ticks AS tick (scope, told_at) VALUES ($1, clock_timestamp())
        ON CONFLICT (scope) DO UPDATE SET told_at = excluded.told_at WHERE tick.told_at <= excluded.told_at - $2 OR tick.told_at > excluded.told_at
        RETURNING scope
        """;

    private readonly Dictionary<DashboardScope, long> _lookedAt = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LookEvery, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var watched = audience.Watched;
            foreach (var gone in _lookedAt.Keys.Where(scope => !watched.Contains(scope)).ToList())
            {
                _lookedAt.Remove(gone);
            }

            foreach (var scope in watched)
            {
                try
                {
                    await LookAsync(scope, stoppingToken);
                }
                catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
                {
                    LogFailed(exception);
                }
            }
        }
    }

    private async Task LookAsync(DashboardScope scope, CancellationToken cancellationToken)
    {
        if (_lookedAt.TryGetValue(scope, out var before) && clock.GetElapsedTime(before) < TellEvery - Slack)
        {
            return;
        }

        await using var command = database.CreateCommand(Claim);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = scope.Id });
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = TellEvery - Slack });
        if (await command.ExecuteScalarAsync(cancellationToken) is null)
        {
            return; // Another node has told them; asked again in a second, in case it dies.
        }

        _lookedAt[scope] = clock.GetTimestamp();
        var metrics = await dashboards.MetricsAsync(scope, cancellationToken);
        var connections = DashboardConnections.Of(audience.Watchers.Where(watcher => watcher.Scope == scope.Id));
        var numbers = new { metrics.ActiveUsers, metrics.GoalCompletions, metrics.SystemHealth, metrics.Timestamp, connections };
        await topics.PublishAsync(
            DashboardMessages.OfNumbers(scope, DashboardMessages.AnalyticsUpdate, DashboardMessages.MetricsUpdate, numbers, metrics.Timestamp), cancellationToken);
        if (scope.IsInstallation)
        {
            await topics.PublishAsync(
                DashboardMessages.OfNumbers(scope, DashboardMessages.SystemHealth, DashboardMessages.SystemHealth, metrics.SystemHealth, metrics.Timestamp), cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The numbers of a dashboard could not be told; trying again in a second")]
    private partial void LogFailed(Exception exception);
}
