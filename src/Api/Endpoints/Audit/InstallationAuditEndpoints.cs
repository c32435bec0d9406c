using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Vtp.Api.Http;
using Vtp.Application.Audit;
using Vtp.Application.Common;
using Vtp.Domain.Audit;

namespace Vtp.Api.Endpoints.Audit;

internal static class InstallationAuditEndpoints
{
    public static void MapInstallationAudit(this IEndpointRouteBuilder api)
    {
        var audit = api.MapGroup("/admin/audit-logs").WithTags("Administration").NeverStored();
        audit.MapGet("", List).Runs<ListInstallationAuditLogsQuery>("Search the installation's own trail");
        audit.MapGet("/export", Export).Runs<ExportInstallationAuditLogsQuery>("Take the installation's own trail away").AnswersTrail();
        audit.MapGet("/verify", Verify).Runs<VerifyInstallationAuditLogsQuery>("Hold the installation's own trail against its signatures");
        audit.MapPost("/keys/rotate", RotateKey).Runs<RotateAuditKeyCommand>("Start signing trails with a new key");
    }

    private static async Task<Results<Ok<CursorPage<AuditEntryView>>, RefusedHttpResult>> List(
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
            new ListInstallationAuditLogsQuery(userEmail, action, resource, resourceId, status?.Value, actorType?.Value, startDate, endDate, cursor, limit), ct)).ToHttp();

    private static async Task<Results<PushStreamHttpResult, RefusedHttpResult>> Export(
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
        IMediator mediator,
        CancellationToken ct) =>
        (await mediator.Send(
            new ExportInstallationAuditLogsQuery(
                request.FormatOf(format), userEmail, action, resource, resourceId, status?.Value, actorType?.Value, startDate, endDate),
            ct)).ToDownload(ct);

    private static async Task<Results<Ok<AuditVerification>, RefusedHttpResult>> Verify(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new VerifyInstallationAuditLogsQuery(), ct)).ToHttp();

    private static async Task<Results<Ok<AuditKeyRotated>, RefusedHttpResult>> RotateKey(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new RotateAuditKeyCommand(), ct)).ToHttp();
}
