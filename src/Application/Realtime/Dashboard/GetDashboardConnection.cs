using System.Text.Json.Serialization;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Realtime.Dashboard;

/// <summary>Where and how a client of Socket.IO connects to its dashboard.</summary>
/// <param name="OrgId">The organization; absent for the installation's own, or for the only one that the caller manages.</param>
/// <param name="Host">Of the request.</param>
[Requires(Permission.ViewDashboard)]
public sealed record GetDashboardConnectionQuery(Guid? OrgId, string Host) : IQuery<DashboardConnectionAnswer>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => OrgId is { } id ? new(id) : null;
}

/// <param name="Success">Always true; a refusal is a problem.</param>
public sealed record DashboardConnectionAnswer(bool Success, DashboardConnection Data);

/// <param name="WebsocketEndpoint">The address of Socket.IO's protocol.</param>
/// <param name="Namespace">The one to join there.</param>
/// <param name="CurrentStats">Connections to this dashboard.</param>
public sealed record DashboardConnection(
    [property: JsonPropertyName("websocketEndpoint")] string WebsocketEndpoint,
    string Namespace,
    [property: JsonPropertyName("connectionInfo")] DashboardConnectionInfo ConnectionInfo,
    [property: JsonPropertyName("currentStats")] DashboardConnections CurrentStats);

/// <param name="Streams">That the caller may subscribe to.</param>
public sealed record DashboardConnectionInfo(
    IReadOnlyList<string> Transports, DashboardConnectionAuth Auth, DashboardConnectionEvents Events, IReadOnlyList<string> Streams);

/// <param name="Location">Where in the handshake.</param>
public sealed record DashboardConnectionAuth(bool Required, string Method, string Location);

public sealed record DashboardConnectionEvents(IReadOnlyList<string> ServerToClient, IReadOnlyList<string> ClientToServer);

internal sealed class GetDashboardConnectionHandler(DashboardAccess access, IDashboardAudience audience)
    : IRequestHandler<GetDashboardConnectionQuery, Result<DashboardConnectionAnswer>>
{
    private static readonly DashboardConnectionEvents Events = new(
        ["dashboard_data", DashboardMessages.AnalyticsUpdate, DashboardMessages.UserActivity, DashboardMessages.SystemAlert, "pong", "error", "missed"],
        ["activity", "subscribe", "ping", "filter_change", "authenticate"]);

    public async Task<Result<DashboardConnectionAnswer>> Handle(GetDashboardConnectionQuery request, CancellationToken cancellationToken) =>
        (await access.FindAsync(request.OrgId, cancellationToken)).Match<Result<DashboardConnectionAnswer>>(
            scope => new DashboardConnectionAnswer(true, new DashboardConnection(
                $"//{request.Host}/socket.io",
                "/dashboard",
                new DashboardConnectionInfo(
                    ["websocket", "polling"], new DashboardConnectionAuth(true, "access token", "auth.token"), Events, DashboardStreams.Of(scope)),
                DashboardConnections.Of(audience.Watchers.Where(watcher => watcher.Scope == scope.Id)))),
            refusal => refusal);
}
