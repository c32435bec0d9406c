using System.Text.Json;
using System.Text.Json.Serialization;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Realtime.Dashboard;

/// <summary>The numbers of a dashboard as they are now, and what happened lately.</summary>
/// <param name="OrgId">The organization; absent for the installation's own, or for the only one that the caller manages.</param>
[Requires(Permission.ViewDashboard)]
public sealed record GetDashboardMetricsQuery(Guid? OrgId) : IQuery<DashboardMetricsAnswer>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => OrgId is { } id ? new(id) : null;
}

/// <param name="Success">Always true; a refusal is a problem.</param>
public sealed record DashboardMetricsAnswer(bool Success, DashboardOverview Data);

public sealed record DashboardOverview(DashboardMetrics Current, DashboardRecent Recent, DashboardConnections Connections);

/// <param name="Analytics">The newest numbers that were sent, five at most, of the last minutes.</param>
/// <param name="UserActivity">The newest activity of the last hour, ten entries at most.</param>
public sealed record DashboardRecent(
    IReadOnlyList<JsonElement> Analytics,
    [property: JsonPropertyName("userActivity")] IReadOnlyList<DashboardActivity> UserActivity);

internal sealed class GetDashboardMetricsHandler(DashboardAccess access, IDashboardReader dashboards, IDashboardAudience audience, ITopics topics)
    : IRequestHandler<GetDashboardMetricsQuery, Result<DashboardMetricsAnswer>>
{
    private const int RecentUpdates = 5;
    private const int RecentActivity = 10;

    public async Task<Result<DashboardMetricsAnswer>> Handle(GetDashboardMetricsQuery request, CancellationToken cancellationToken)
    {
        if (!(await access.FindAsync(request.OrgId, cancellationToken)).TryGet(out var scope, out var refusal))
        {
            return refusal;
        }

        var updates = topics.Recent(scope.Topic, DashboardMessages.AnalyticsUpdate, RecentUpdates);
        return new DashboardMetricsAnswer(true, new DashboardOverview(
            await dashboards.MetricsAsync(scope, cancellationToken),
            new DashboardRecent(
                [.. updates.Select(update => JsonElement.Parse(update.Publication.Data.Span))],
                await dashboards.RecentActivityAsync(scope, RecentActivity, cancellationToken)),
            DashboardConnections.Of(audience.Watchers.Where(watcher => watcher.Scope == scope.Id))));
    }
}
