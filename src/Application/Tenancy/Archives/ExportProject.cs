using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tenancy.Archives;

/// <summary>One project as a ZIP: its settings and keys as they are at one moment. The organization's people and trail are not in it.</summary>
[Requires(Permission.ManageProjects)]
[RequestCost(10)]
[Audited(AuditActions.ProjectExported)]
public sealed record ExportProjectQuery(Guid Id) : IQuery<Archive>, IAboutProject
{
    ProjectId IAboutProject.Project => new(Id);
}

internal sealed class ExportProjectHandler(IArchiveExporter archives, TenantScope tenant, AuditSubject audit)
    : IRequestHandler<ExportProjectQuery, Result<Archive>>
{
    public async Task<Result<Archive>> Handle(ExportProjectQuery request, CancellationToken cancellationToken)
    {
        var archive = await archives.OpenAsync(tenant.Organization!.Value, new ProjectId(request.Id), cancellationToken);
        (audit.TargetId, audit.TargetName) = (request.Id, archive.Name);
        return archive;
    }
}
