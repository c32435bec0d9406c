using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Vtp.Api.Http;
using Vtp.Application.Common;
using Vtp.Application.Operations.Performance;

namespace Vtp.Api.Endpoints.Operations;

/// <summary>Without a version in their path, where clients of the older system look for them.</summary>
internal static class PerformanceEndpoints
{
    public static void MapPerformance(this IEndpointRouteBuilder app)
    {
        var performance = app.MapGroup("/api/performance").WithTags("Performance").NeverStored();
        performance.MapGet("/metrics", GetMetrics).Runs<GetPerformanceMetricsQuery>("See how this node does");
        performance.MapGet("/endpoints", GetEndpoints).Runs<GetEndpointPerformanceQuery>("See which endpoints are slow or fail");
        performance.MapGet("/history", GetHistory).Runs<GetPerformanceHistoryQuery>("See how this node did in the last half hour");
        performance.MapGet("/slow-queries", ListSlowQueries).Runs<ListSlowQueriesQuery>("See which statements are slow");
        performance.MapGet("/alerts", ListAlerts).Runs<ListSystemAlertsQuery>("List alerts of all nodes");
        performance.MapPost("/optimize", Optimize).Runs<OptimizePerformanceCommand>("Find what makes the server slow, and do what is safe about it");
    }

    private static async Task<Results<Ok<PerformanceMetrics>, RefusedHttpResult>> GetMetrics(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetPerformanceMetricsQuery(), ct)).ToHttp();

    private static async Task<Results<Ok<EndpointPerformanceList>, RefusedHttpResult>> GetEndpoints(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetEndpointPerformanceQuery(), ct)).ToHttp();

    private static async Task<Results<Ok<PerformanceHistory>, RefusedHttpResult>> GetHistory(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetPerformanceHistoryQuery(), ct)).ToHttp();

    private static async Task<Results<Ok<SlowQueryList>, RefusedHttpResult>> ListSlowQueries(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListSlowQueriesQuery(), ct)).ToHttp();

    private static async Task<Results<Ok<CursorPage<SystemAlertView>>, RefusedHttpResult>> ListAlerts(
        bool? open, Guid? cursor, int? limit, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListSystemAlertsQuery(open, cursor, limit), ct)).ToHttp();

    /// <summary>Its older clients send no body.</summary>
    private static async Task<Results<Ok<PerformanceReport>, RefusedHttpResult>> Optimize(
        OptimizePerformanceCommand? command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command ?? new OptimizePerformanceCommand(Apply: null), ct)).ToHttp();
}
