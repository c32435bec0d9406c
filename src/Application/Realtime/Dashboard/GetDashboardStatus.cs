using System.Text.Json.Serialization;
using MediatR;
using Vtp.Application.Common;
using Vtp.Application.Operations.Performance;
using Vtp.Domain.Common;

namespace Vtp.Application.Realtime.Dashboard;

/// <summary>How the live part of the server does, and what it stands on.</summary>
[Requires(Permission.Operate)]
public sealed record GetDashboardStatusQuery : IQuery<DashboardStatusAnswer>;

/// <param name="Success">Always true; a refusal is a problem.</param>
public sealed record DashboardStatusAnswer(bool Success, DashboardStatus Data);

/// <param name="Status"><c>healthy</c>, or <c>degraded</c> when something below does not answer.</param>
/// <param name="TotalConnections">Of all dashboards, on all nodes.</param>
/// <param name="Uptime">Seconds of the node that answers.</param>
public sealed record DashboardStatus(
    string Status,
    DashboardServices Services,
    [property: JsonPropertyName("totalConnections")] int TotalConnections,
    long Uptime,
    DateTimeOffset Timestamp);

public sealed record DashboardServices(WatchingStats Websocket, WatchingStats Sse, ServiceStatus Redis, ServiceStatus Database);

/// <param name="Status"><c>healthy</c>, <c>unhealthy</c>, or <c>not_configured</c>.</param>
public sealed record ServiceStatus(string Status);

internal sealed class GetDashboardStatusHandler(IDashboardReader dashboards, IDashboardAudience audience, IPerformance performance, TimeProvider clock)
    : IRequestHandler<GetDashboardStatusQuery, Result<DashboardStatusAnswer>>
{
    public async Task<Result<DashboardStatusAnswer>> Handle(GetDashboardStatusQuery request, CancellationToken cancellationToken)
    {
        var (database, redis) = await dashboards.ProbeAsync(cancellationToken);
        var watchers = audience.Watchers;
        return new DashboardStatusAnswer(true, new DashboardStatus(
            database && redis is not false ? DashboardHealth.Healthy : DashboardHealth.Degraded,
            new DashboardServices(
                WatchingStats.Of(watchers, DashboardWatcher.WebSocket),
                WatchingStats.Of(watchers, DashboardWatcher.Sse),
                new ServiceStatus(redis is { } isUp ? Word(isUp) : "not_configured"),
                new ServiceStatus(Word(database))),
            watchers.Count,
            performance.Read().Uptime,
            clock.GetUtcNow()));
    }

    private static string Word(bool isUp) => isUp ? DashboardHealth.Healthy : DashboardHealth.Unhealthy;
}
