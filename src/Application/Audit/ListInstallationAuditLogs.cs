using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Audit;

/// <summary>The installation's own trail, newest first: accounts, sessions, administration. All filters that are sent must fit.</summary>
/// <param name="UserEmail">Part of a person's address, without case and accents; up to 100 characters.</param>
/// <param name="Action">A name of docs/audit-actions.md.</param>
/// <param name="Resource">What it was done to: account, session, installation and so on.</param>
/// <param name="ResourceId">The one that it was done to.</param>
/// <param name="StartDate">A day in UTC (2026-11-21) or a moment (RFC 3339); included.</param>
/// <param name="EndDate">Likewise; a day counts as a whole.</param>
/// <param name="Cursor">From the answer before.</param>
/// <param name="Limit">1 to 100; 20 when absent.</param>
[Requires(Permission.Operate)]
public sealed record ListInstallationAuditLogsQuery(
    string? UserEmail,
    string? Action,
    string? Resource,
    Guid? ResourceId,
    AuditOutcome? Status,
    ActorType? ActorType,
    string? StartDate,
    string? EndDate,
    string? Cursor,
    int? Limit) : IQuery<CursorPage<AuditEntryView>>, IAuditFilter;

internal sealed class ListInstallationAuditLogsValidator : AuditFilterValidator<ListInstallationAuditLogsQuery>;

internal sealed class ListInstallationAuditLogsHandler(IAuditLog log, TenantScope tenant)
    : IRequestHandler<ListInstallationAuditLogsQuery, Result<CursorPage<AuditEntryView>>>
{
    public Task<Result<CursorPage<AuditEntryView>>> Handle(ListInstallationAuditLogsQuery request, CancellationToken cancellationToken)
    {
        tenant.EnterSystem();
        return log.PageAsync(request, request.Cursor, request.Limit, cancellationToken);
    }
}
