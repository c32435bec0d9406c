using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tenancy.Projects;

/// <summary>Undoes a deletion of the last 30 days; keys that had not ended by themselves work again.</summary>
[Requires(Permission.ManageProjects)]
[Audited(AuditActions.ProjectRestored)]
public sealed record RestoreProjectCommand(Guid Id) : ICommand<ProjectView>, IAboutProject, ISeesDeleted, IInvalidates
{
    ProjectId IAboutProject.Project => new(Id);

    IReadOnlyCollection<CacheTag> IInvalidates.InvalidatedIn(TenantScope tenant) => ProjectCacheTags.Showing(tenant, Id);
}

internal sealed class RestoreProjectHandler(IVtpDb db, LiveKitAddress livekit, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<RestoreProjectCommand, Result<ProjectView>>
{
    public async Task<Result<ProjectView>> Handle(RestoreProjectCommand request, CancellationToken cancellationToken)
    {
        var id = new ProjectId(request.Id);
        var project = await db.Projects.WithDeleted().SingleAsync(project => project.Id == id, cancellationToken);
        if (!await db.Organizations.AnyAsync(organization => organization.Id == project.OrganizationId, cancellationToken))
        {
            return ProjectRefusals.NotFound;
        }

        (audit.TargetId, audit.TargetName) = (request.Id, project.Name);
        if (project.Restore(clock.GetUtcNow()) is { } refusal)
        {
            return refusal;
        }

        await db.SaveChangesAsync(cancellationToken);
        return await db.Projects.AsNoTracking().Where(one => one.Id == id).AsViews(db, livekit.Url).SingleAsync(cancellationToken);
    }
}
