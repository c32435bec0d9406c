using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tenancy.Exports;

/// <summary>Makes the archive of a project in the background. At most three exports of an organization are ready or not finished; each is kept for seven days. Who asks for it is mailed when it is ready.</summary>
[Requires(Permission.ManageProjects)]
[RequestCost(10)]
[Audited(AuditActions.ProjectExportStarted)]
[Idempotent]
public sealed record StartProjectExportCommand(Guid Id) : ICommand<ExportView>, IAboutProject
{
    ProjectId IAboutProject.Project => new(Id);
}

internal sealed class StartProjectExportHandler(ExportDesk exports) : IRequestHandler<StartProjectExportCommand, Result<ExportView>>
{
    public Task<Result<ExportView>> Handle(StartProjectExportCommand request, CancellationToken cancellationToken) =>
        exports.StartAsync(new ProjectId(request.Id), cancellationToken);
}
