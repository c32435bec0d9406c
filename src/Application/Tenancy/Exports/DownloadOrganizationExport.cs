using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Exports;

/// <summary>The ZIP of an export that is ready, as the streamed export sends it. Takes Range (RFC 9110), so that a download that broke off goes on.</summary>
[Requires(Permission.ManageOrganization)]
[Audited(AuditActions.OrganizationExportDownloaded)]
public sealed record DownloadOrganizationExportQuery(Guid Id, Guid ExportId) : IQuery<ExportContent>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => new(Id);
}

internal sealed class DownloadOrganizationExportHandler(ExportDesk exports) : IRequestHandler<DownloadOrganizationExportQuery, Result<ExportContent>>
{
    public Task<Result<ExportContent>> Handle(DownloadOrganizationExportQuery request, CancellationToken cancellationToken) =>
        exports.OpenAsync(project: null, request.ExportId, cancellationToken);
}
