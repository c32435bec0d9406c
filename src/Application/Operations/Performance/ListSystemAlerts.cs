using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Operations;

namespace Vtp.Application.Operations.Performance;

/// <summary>Numbers of any node that left their bounds, newest first; kept for 90 days after their end.</summary>
/// <param name="Open">Only those that hold on, or only those that have ended.</param>
/// <param name="Cursor">From the answer before.</param>
/// <param name="Limit">1 to 100; 20 when absent.</param>
[Requires(Permission.Operate)]
public sealed record ListSystemAlertsQuery(bool? Open, Guid? Cursor, int? Limit) : IQuery<CursorPage<SystemAlertView>>;

/// <param name="Rule">Which number: a name that <c>Performance:Alerts</c> knows.</param>
/// <param name="Message">What it is, in words.</param>
/// <param name="Value">The worst of it.</param>
/// <param name="ResolvedAt">Null while it holds on.</param>
public sealed record SystemAlertView(
    Guid Id, string Rule, string Message, string Node, double Value, double Threshold, DateTimeOffset RaisedAt, DateTimeOffset? ResolvedAt);

internal sealed class ListSystemAlertsHandler(IVtpDb db) : IRequestHandler<ListSystemAlertsQuery, Result<CursorPage<SystemAlertView>>>
{
    public async Task<Result<CursorPage<SystemAlertView>>> Handle(ListSystemAlertsQuery request, CancellationToken cancellationToken)
    {
        var limit = Paging.ClampLimit(request.Limit);
        var found = await db.SystemAlerts.AsNoTracking()
            .Where(alert => request.Open == null || alert.ResolvedAt == null == request.Open)
            .Where(alert => request.Cursor == null || alert.Id.CompareTo(request.Cursor.Value) < 0)
            .OrderByDescending(alert => alert.Id)
            .Take(limit + 1)
            .ToListAsync(cancellationToken);
        return new CursorPage<SystemAlertView>([.. found.Take(limit).Select(View)], found.Count > limit ? found[limit - 1].Id.ToString() : null);
    }

    private static SystemAlertView View(SystemAlert alert) => new(
        alert.Id,
        alert.Rule,
        AlertRule.All.FirstOrDefault(rule => rule.Name == alert.Rule)?.Says ?? alert.Rule,
        alert.Node,
        alert.Value,
        alert.Threshold,
        alert.RaisedAt,
        alert.ResolvedAt);
}
