using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Audit;

/// <summary>The newest entries of one organization's trail; of a key, its own project's.</summary>
/// <param name="Limit">1 to 100; 20 when absent.</param>
[Requires(Permission.ViewAuditLogs)]
[OpenToKeys(KeyScopes.AuditRead)]
public sealed record ListRecentAuditLogsQuery(Guid OrgId, int? Limit) : IQuery<RecentAuditLogs>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => new(OrgId);
}

/// <summary>The newest entries.</summary>
/// <param name="Total">How many these are.</param>
public sealed record RecentAuditLogs(IReadOnlyList<AuditEntryView> Logs, int Total);

internal sealed class ListRecentAuditLogsHandler(IAuditLog log) : IRequestHandler<ListRecentAuditLogsQuery, Result<RecentAuditLogs>>
{
    public async Task<Result<RecentAuditLogs>> Handle(ListRecentAuditLogsQuery request, CancellationToken cancellationToken)
    {
        var entries = await log.FindAsync(AuditFilter.None, before: null, Paging.ClampLimit(request.Limit), cancellationToken);
        return new RecentAuditLogs(entries, entries.Count);
    }
}
