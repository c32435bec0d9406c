using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Application.Tenancy.ApiKeys;
using Vtp.Application.Tenancy.Projects;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tenancy.Archives;

/// <summary>Restores a project from its archive into one of the caller's organizations: all of it or nothing. Its keys work on.</summary>
/// <param name="OrgId">The organization that gets it.</param>
/// <param name="Archive">The ZIP.</param>
[Requires(Permission.ManageProjects)]
[RateLimited(RateLimitPolicies.Upload)]
[Audited(AuditActions.ProjectImported)]
[Idempotent]
public sealed record ImportProjectCommand(Guid OrgId, Stream Archive) : ICommand<ProjectImported>, IAboutOrganization, IInvalidates
{
    OrganizationId? IAboutOrganization.Organization => new(OrgId);

    IReadOnlyCollection<CacheTag> IInvalidates.InvalidatedIn(TenantScope tenant) => ProjectCacheTags.ListsOf(tenant);
}

/// <summary>What was restored.</summary>
public sealed record ProjectImported(ProjectView Project, string Message);

internal sealed class ImportProjectHandler(
    IVtpDb db, IArchiveImporter archives, TenancyLimits limits, LiveKitAddress livekit, TenantScope tenant, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<ImportProjectCommand, Result<ProjectImported>>
{
    public async Task<Result<ProjectImported>> Handle(ImportProjectCommand request, CancellationToken cancellationToken)
    {
        var (organization, now) = (new OrganizationId(request.OrgId), clock.GetUtcNow());
        if (await db.Projects.CountAsync(project => project.OrganizationId == organization, cancellationToken) >= limits.ProjectsPerOrganization)
        {
            return ProjectRefusals.TooMany;
        }

        if (!(await archives.ReceiveAsync(request.Archive, ArchiveKind.Project, cancellationToken)).TryGet(out var archive, out var refusal))
        {
            return refusal;
        }

        await using var received = archive;
        var id = new ProjectId(archive.Id);
        (audit.TargetId, audit.TargetName) = (archive.Id, archive.Name);
        await db.BeginAsync(cancellationToken);
        if (!(await archive.RestoreAsync(organization, cancellationToken)).TryGet(out _, out refusal))
        {
            return refusal;
        }

        tenant.Narrow(id);
        if (await db.CountLivingKeysAsync(id, now, cancellationToken) > limits.KeysPerProject)
        {
            return ApiKeyRefusals.TooMany;
        }

        await db.SaveChangesAsync(cancellationToken);
        var view = await db.Projects.WithDeleted().AsNoTracking().Where(one => one.Id == id).AsViews(db, livekit.Url).SingleAsync(cancellationToken);
        return new ProjectImported(view, "Project imported. The keys of its clients work on.");
    }
}
