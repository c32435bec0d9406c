using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Vtp.Api.Http;
using Vtp.Application.Audit;
using Vtp.Application.Common;
using Vtp.Application.Identity.Sessions;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Api.Endpoints.Audit;

internal static class AuditEndpoints
{
    public static void MapAudit(this IEndpointRouteBuilder api)
    {
        var audit = api.MapGroup("/audit-logs").WithTags("Audit");
        audit.MapGet("", List).Runs<ListAuditLogsQuery>("Search the trail");
        audit.MapGet("/recent", ListRecent).Runs<ListRecentAuditLogsQuery>("Read the newest entries");
        audit.MapGet("/stats", GetStatistics).Runs<GetAuditStatisticsQuery>("Count what was done");
        audit.MapGet("/export", Export).Runs<ExportAuditLogsQuery>("Take the trail away").AnswersTrail();
        audit.MapGet("/verify", Verify).Runs<VerifyAuditLogsQuery>("Hold the trail against its signatures");
        audit.MapGet("/keys", GetKeys).Runs<GetAuditKeysQuery>("Read the public keys of the trail's signatures");
    }

    private static async Task<Results<Ok<CursorPage<AuditEntryView>>, RefusedHttpResult>> List(
        [FromQuery(Name = "org_id")] Guid? orgId,
        [FromQuery(Name = "user_email")] string? userEmail,
        string? action,
        string? resource,
        [FromQuery(Name = "resource_id")] Guid? resourceId,
        Word<AuditOutcome>? status,
        [FromQuery(Name = "actor_type")] Word<ActorType>? actorType,
        [FromQuery(Name = "start_date")] string? startDate,
        [FromQuery(Name = "end_date")] string? endDate,
        string? cursor,
        int? limit,
        IMediator mediator,
        CancellationToken ct) =>
        (await mediator.Send(
            new ListAuditLogsQuery(orgId, userEmail, action, resource, resourceId, status?.Value, actorType?.Value, startDate, endDate, cursor, limit), ct)).ToHttp();

    private static async Task<Results<Ok<RecentAuditLogs>, RefusedHttpResult>> ListRecent(
        [FromQuery(Name = "org_id")] Guid orgId, int? limit, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListRecentAuditLogsQuery(orgId, limit), ct)).ToHttp();

    private static async Task<Results<Ok<AuditStatistics>, RefusedHttpResult>> GetStatistics(
        [FromQuery(Name = "org_id")] Guid orgId, int? days, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetAuditStatisticsQuery(orgId, days), ct)).ToHttp();

    private static async Task<Results<PushStreamHttpResult, RefusedHttpResult>> Export(
        [FromQuery(Name = "org_id")] Guid? orgId,
        Word<AuditExportFormat>? format,
        [FromQuery(Name = "user_email")] string? userEmail,
        string? action,
        string? resource,
        [FromQuery(Name = "resource_id")] Guid? resourceId,
        Word<AuditOutcome>? status,
        [FromQuery(Name = "actor_type")] Word<ActorType>? actorType,
        [FromQuery(Name = "start_date")] string? startDate,
        [FromQuery(Name = "end_date")] string? endDate,
        HttpRequest request,
        HttpResponse response,
        IMediator mediator,
        CancellationToken ct)
    {
        var query = new ExportAuditLogsQuery(
            orgId,
            request.FormatOf(format),
            userEmail,
            action,
            resource,
            resourceId,
            status?.Value,
            actorType?.Value,
            startDate,
            endDate);
        response.Headers.CacheControl = "no-store";
        return (await mediator.Send(query, ct)).ToDownload(ct);
    }

    private static async Task<Results<Ok<AuditVerification>, RefusedHttpResult>> Verify(
        [FromQuery(Name = "org_id")] Guid orgId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new VerifyAuditLogsQuery(orgId), ct)).ToHttp();

    private static async Task<Results<Ok<JsonWebKeySet>, RefusedHttpResult>> GetKeys(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetAuditKeysQuery(), ct)).ToHttp();
}

internal static class AuditDownloadHttp
{
    private const string Csv = "text/csv";
    private const string Ndjson = "application/x-ndjson";

    public static RouteHandlerBuilder AnswersTrail(this RouteHandlerBuilder endpoint) => endpoint.Produces<string>(StatusCodes.Status200OK, Csv, Ndjson);

    public static AuditExportFormat FormatOf(this HttpRequest request, Word<AuditExportFormat>? asked) =>
        asked?.Value ?? (request.GetTypedHeaders().Accept.Any(type => type.MediaType.Equals(Ndjson, StringComparison.OrdinalIgnoreCase))
            ? AuditExportFormat.Ndjson
            : AuditExportFormat.Csv);

    public static Results<PushStreamHttpResult, RefusedHttpResult> ToDownload(this Result<AuditDownload> result, CancellationToken cancellationToken) =>
        result.Match<Results<PushStreamHttpResult, RefusedHttpResult>>(
            file => TypedResults.Stream(output => file.WriteAsync(output, cancellationToken), file.ContentType, file.FileName),
            refusal => new RefusedHttpResult(refusal));
}
