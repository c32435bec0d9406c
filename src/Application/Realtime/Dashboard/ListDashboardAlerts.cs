using System.Text.Json;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Realtime;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Realtime.Dashboard;

/// <summary>
/// Alerts of the last 90 days, newest first: those that administrators sent, and in the installation's own list those that
/// nodes raised by themselves.
/// </summary>
/// <param name="OrgId">The organization; absent for the installation's own, or for the only one that the caller manages.</param>
/// <param name="Level">This one alone.</param>
/// <param name="Cursor">From the answer before.</param>
/// <param name="Limit">1 to 100; 20 when absent.</param>
[Requires(Permission.ViewDashboard)]
public sealed record ListDashboardAlertsQuery(Guid? OrgId, AlertLevel? Level, Guid? Cursor, int? Limit) : IQuery<DashboardAlerts>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => OrgId is { } id ? new(id) : null;
}

/// <param name="Success">Always true; a refusal is a problem.</param>
/// <param name="NextCursor">Send it as <c>cursor</c> for the next stretch; null at the end.</param>
public sealed record DashboardAlerts(bool Success, IReadOnlyList<DashboardAlertView> Data, string? NextCursor);

internal sealed class ListDashboardAlertsHandler(DashboardAccess access, IVtpDb db, TenantScope tenant)
    : IRequestHandler<ListDashboardAlertsQuery, Result<DashboardAlerts>>
{
    public async Task<Result<DashboardAlerts>> Handle(ListDashboardAlertsQuery request, CancellationToken cancellationToken)
    {
        if (!(await access.FindAsync(request.OrgId, cancellationToken)).TryGet(out var scope, out var refusal))
        {
            return refusal;
        }

        tenant.EnterSystem();
        var limit = Paging.ClampLimit(request.Limit);
        var found = await db.DashboardAlerts.AsNoTracking().OfAllTenants()
            .Where(alert => alert.OrganizationId == scope.Organization)
            .Where(alert => request.Level == null || alert.Level == request.Level)
            .Where(alert => request.Cursor == null || alert.Id.CompareTo(request.Cursor.Value) < 0)
            .OrderByDescending(alert => alert.Id)
            .Take(limit + 1)
            .ToListAsync(cancellationToken);
        var raised = scope.IsInstallation && request.Level is (null or AlertLevel.Warning)
            ? await db.SystemAlerts.AsNoTracking()
                .Where(alert => request.Cursor == null || alert.Id.CompareTo(request.Cursor.Value) < 0)
                .OrderByDescending(alert => alert.Id)
                .Take(limit + 1)
                .ToListAsync(cancellationToken)
            : [];

        // Ids sort as things happened, in both tables, and in text as well.
        List<DashboardAlertView> all = [.. found.Select(View).Concat(raised.Select(DashboardNotice.Of)).OrderByDescending(alert => alert.Id.ToString(), StringComparer.Ordinal)];
        return new DashboardAlerts(true, [.. all.Take(limit)], all.Count > limit ? all[limit - 1].Id.ToString() : null);
    }

    private static DashboardAlertView View(DashboardAlert alert) => new(
        alert.Id, alert.Level, alert.Message, alert.Origin, alert.CreatedAt, alert.Metadata is { } metadata ? JsonElement.Parse(metadata) : null);
}
