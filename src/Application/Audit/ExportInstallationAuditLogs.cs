using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Audit;

/// <summary>The installation's own trail, oldest first, in the forms in which that of an organization is exported.</summary>
/// <param name="Format"><c>csv</c>, or <c>ndjson</c>, which an Accept of application/x-ndjson asks for too.</param>
/// <param name="UserEmail">As in the list, like all filters.</param>
/// <param name="StartDate">A day in UTC (2026-11-21) or a moment (RFC 3339); included.</param>
/// <param name="EndDate">Likewise; a day counts as a whole.</param>
[Requires(Permission.Operate)]
[RequestCost(10)]
[Audited(AuditActions.InstallationAuditExported)]
public sealed record ExportInstallationAuditLogsQuery(
    AuditExportFormat Format,
    string? UserEmail,
    string? Action,
    string? Resource,
    Guid? ResourceId,
    AuditOutcome? Status,
    ActorType? ActorType,
    string? StartDate,
    string? EndDate) : IQuery<AuditDownload>, IAuditFilter;

internal sealed class ExportInstallationAuditLogsValidator : AuditFilterValidator<ExportInstallationAuditLogsQuery>;

internal sealed class ExportInstallationAuditLogsHandler(IAuditTrail trail, TenantScope tenant, TimeProvider clock)
    : IRequestHandler<ExportInstallationAuditLogsQuery, Result<AuditDownload>>
{
    public Task<Result<AuditDownload>> Handle(ExportInstallationAuditLogsQuery request, CancellationToken cancellationToken)
    {
        tenant.EnterSystem();
        return Task.FromResult<Result<AuditDownload>>(trail.Download(request.Format, request, clock.GetUtcNow()));
    }
}
