using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Application.Identity;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tenancy.Projects;

/// <summary>Deletes a project; its keys end at once. It can be brought back within 30 days.</summary>
[Requires(Permission.ManageProjects)]
[Audited(AuditActions.ProjectDeleted)]
public sealed record DeleteProjectCommand(Guid Id) : ICommand<Message>, IAboutProject, IInvalidates
{
    ProjectId IAboutProject.Project => new(Id);

    IReadOnlyCollection<CacheTag> IInvalidates.InvalidatedIn(TenantScope tenant) => ProjectCacheTags.Showing(tenant, Id);
}

internal sealed class DeleteProjectHandler(IVtpDb db, AuditSubject audit, TimeProvider clock) : IRequestHandler<DeleteProjectCommand, Result<Message>>
{
    public async Task<Result<Message>> Handle(DeleteProjectCommand request, CancellationToken cancellationToken)
    {
        var id = new ProjectId(request.Id);
        var project = await db.Projects.SingleOrDefaultAsync(project => project.Id == id, cancellationToken);
        if (project is null)
        {
            return ProjectRefusals.NotFound;
        }

        (audit.TargetId, audit.TargetName) = (request.Id, project.Name);
        project.Delete(clock.GetUtcNow());
        await db.SaveChangesAsync(cancellationToken);
        return new Message("Project deleted. It can be restored within 30 days.");
    }
}
