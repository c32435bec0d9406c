using MediatR;
using Microsoft.AspNetCore.Mvc;
using Vtp.Api.Http;
using Vtp.Application.Operations.Performance;
using Vtp.Application.Operations.Profiling;

namespace Vtp.Api.Console.Operators;

/// <summary>How this node does: the same use cases as <c>/api/performance</c>, for people.</summary>
internal static class SystemPages
{
    public const string System = "/console/system";
    public const string TakeProfile = System + "/profile";

    private const int Shown = 10;
    private const int ProfileSeconds = 5;

    public static void MapSystemPages(this IEndpointRouteBuilder pages)
    {
        pages.MapGet(System, Show).Runs(typeof(GetPerformanceHistoryQuery));
        pages.MapPost(TakeProfile, Take).Runs(typeof(TakeProfileCommand));
    }

    private static async Task<IResult> Show(IMediator mediator, CancellationToken ct)
    {
        if (!(await mediator.Send(new GetPerformanceMetricsQuery(), ct)).TryGet(out var metrics, out var refusal)
            || !(await mediator.Send(new GetPerformanceHistoryQuery(), ct)).TryGet(out var history, out refusal)
            || !(await mediator.Send(new GetEndpointPerformanceQuery(), ct)).TryGet(out var endpoints, out refusal)
            || !(await mediator.Send(new ListSlowQueriesQuery(), ct)).TryGet(out var queries, out refusal)
            || !(await mediator.Send(new ListSystemAlertsQuery(Open: null, Cursor: null, Shown), ct)).TryGet(out var alerts, out refusal))
        {
            return OperatorForms.Refused(refusal);
        }

        return Pages.Page<SystemPage>(new
        {
            Metrics = metrics,
            Points = history.Data,
            Endpoints = endpoints.Data.Take(Shown).ToList(),
            Queries = queries.Data.Take(Shown).ToList(),
            Alerts = alerts.Data,
        });
    }

    private static async Task<IResult> Take([FromForm] string? back, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        context.WaitsOnPurpose();
        return (await mediator.Send(new TakeProfileCommand(ProfileKind.Cpu, ProfileSeconds, Format: null), ct)).TryGet(out var profile, out var refusal)
            ? Results.Stream(profile.Content, profile.ContentType, profile.FileName)
            : OperatorForms.Refused(refusal, back);
    }
}
