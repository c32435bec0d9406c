using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Audit;

/// <summary>The trail of the caller's organizations, newest first; of a key, its own project's. All filters that are sent must fit.</summary>
/// <param name="OrgId">One organization; all in which the caller may see the trail when absent.</param>
/// <param name="UserEmail">Part of a person's address or of a key's name, without case and accents; up to 100 characters.</param>
/// <param name="Action">A name of docs/audit-actions.md.</param>
/// <param name="Resource">What it was done to: account, organization, project and so on.</param>
/// <param name="ResourceId">The one that it was done to.</param>
/// <param name="StartDate">A day in UTC (2026-11-21) or a moment (RFC 3339); included.</param>
/// <param name="EndDate">Likewise; a day counts as a whole.</param>
/// <param name="Cursor">From the answer before.</param>
/// <param name="Limit">1 to 100; 20 when absent.</param>
[Requires(Permission.ViewAuditLogs)]
[OpenToKeys(KeyScopes.AuditRead)]
public sealed record ListAuditLogsQuery(
    Guid? OrgId,
    string? UserEmail,
    string? Action,
    string? Resource,
    Guid? ResourceId,
    AuditOutcome? Status,
    ActorType? ActorType,
    string? StartDate,
    string? EndDate,
    string? Cursor,
    int? Limit) : IQuery<CursorPage<AuditEntryView>>, IAboutOrganization, IAuditFilter
{
    OrganizationId? IAboutOrganization.Organization => AuditOrganizations.Of(OrgId);
}

internal sealed class ListAuditLogsValidator : AuditFilterValidator<ListAuditLogsQuery>;

internal sealed class ListAuditLogsHandler(IAuditLog log) : IRequestHandler<ListAuditLogsQuery, Result<CursorPage<AuditEntryView>>>
{
    public Task<Result<CursorPage<AuditEntryView>>> Handle(ListAuditLogsQuery request, CancellationToken cancellationToken) =>
        log.PageAsync(request, request.Cursor, request.Limit, cancellationToken);
}

internal static class AuditPages
{
    private static readonly Refusal CursorInvalid =
        Refusal.Field("cursor", "request.cursor_invalid", "This cursor did not come from this list.");

    public static async Task<Result<CursorPage<AuditEntryView>>> PageAsync(
        this IAuditLog log, IAuditFilter filter, string? cursor, int? wanted, CancellationToken cancellationToken)
    {
        (DateTimeOffset, Guid)? before = null;
        if (cursor is not null)
        {
            if (!TimeCursor.TryRead(cursor, out var read))
            {
                return CursorInvalid;
            }

            before = read;
        }

        var limit = Paging.ClampLimit(wanted);
        var page = await log.FindAsync(AuditFilter.Of(filter), before, limit + 1, cancellationToken);
        return page.Count <= limit
            ? new CursorPage<AuditEntryView>(page, null)
            : new CursorPage<AuditEntryView>([.. page.Take(limit)], TimeCursor.After(page[limit - 1].Timestamp, page[limit - 1].Id));
    }
}
