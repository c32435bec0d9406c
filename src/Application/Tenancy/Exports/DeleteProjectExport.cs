using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tenancy.Exports;

/// <summary>Removes an export before its time, unless it is just being made.</summary>
[Requires(Permission.ManageProjects)]
[Audited(AuditActions.ProjectExportDeleted)]
public sealed record DeleteProjectExportCommand(Guid Id, Guid ExportId) : ICommand<Done>, IAboutProject
{
    ProjectId IAboutProject.Project => new(Id);
}

internal sealed class DeleteProjectExportHandler(ExportDesk exports) : IRequestHandler<DeleteProjectExportCommand, Result<Done>>
{
    public Task<Result<Done>> Handle(DeleteProjectExportCommand request, CancellationToken cancellationToken) =>
        exports.DeleteAsync(new ProjectId(request.Id), request.ExportId, cancellationToken);
}
