using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tenancy.Exports;

/// <summary>The ZIP of an export that is ready, as the streamed export sends it. Takes Range (RFC 9110), so that a download that broke off goes on.</summary>
[Requires(Permission.ManageProjects)]
[Audited(AuditActions.ProjectExportDownloaded)]
public sealed record DownloadProjectExportQuery(Guid Id, Guid ExportId) : IQuery<ExportContent>, IAboutProject
{
    ProjectId IAboutProject.Project => new(Id);
}

internal sealed class DownloadProjectExportHandler(ExportDesk exports) : IRequestHandler<DownloadProjectExportQuery, Result<ExportContent>>
{
    public Task<Result<ExportContent>> Handle(DownloadProjectExportQuery request, CancellationToken cancellationToken) =>
        exports.OpenAsync(new ProjectId(request.Id), request.ExportId, cancellationToken);
}
