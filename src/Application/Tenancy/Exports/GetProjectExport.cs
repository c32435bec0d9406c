using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tenancy.Exports;

/// <summary>How far an export is.</summary>
[Requires(Permission.ManageProjects)]
public sealed record GetProjectExportQuery(Guid Id, Guid ExportId) : IQuery<ExportView>, IAboutProject
{
    ProjectId IAboutProject.Project => new(Id);
}

internal sealed class GetProjectExportHandler(ExportDesk exports) : IRequestHandler<GetProjectExportQuery, Result<ExportView>>
{
    public Task<Result<ExportView>> Handle(GetProjectExportQuery request, CancellationToken cancellationToken) =>
        exports.GetAsync(new ProjectId(request.Id), request.ExportId, cancellationToken);
}
