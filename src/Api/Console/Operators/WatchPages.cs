using MediatR;
using Microsoft.AspNetCore.Mvc;
using Vtp.Application.Realtime.Dashboard;

namespace Vtp.Api.Console.Operators;

/// <summary>The live dashboard for people: of the installation to its administrators, of an organization to those who manage it.</summary>
internal static class WatchPages
{
    public const string Live = "/console/live";

    private const int ShownAlerts = 20;

    public static void MapWatchPages(this IEndpointRouteBuilder pages) => pages.MapGet(Live, Show).Runs(typeof(GetDashboardMetricsQuery));

    public static bool IsWay(string? next) => next is Live || next?.StartsWith($"{Live}?", StringComparison.Ordinal) == true;

    private static async Task<IResult> Show([FromQuery(Name = "org_id")] Guid? orgId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetDashboardMetricsQuery(orgId), ct)).TryGet(out var metrics, out var refusal)
        && (await mediator.Send(new ListDashboardAlertsQuery(orgId, Level: null, Cursor: null, ShownAlerts), ct)).TryGet(out var alerts, out refusal)
            ? Pages.Page<WatchPage>(new { Overview = metrics.Data, Alerts = alerts.Data, Organization = orgId })
            : OperatorForms.Refused(refusal);
}
