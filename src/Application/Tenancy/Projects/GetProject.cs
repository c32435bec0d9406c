using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tenancy.Projects;

/// <summary>One project.</summary>
[Requires(Permission.ViewOrganization)]
[OpenToKeys(KeyScopes.ProjectRead)]
public sealed record GetProjectQuery(Guid Id) : IQuery<ProjectView>, IAboutProject, ICachedQuery
{
    ProjectId IAboutProject.Project => new(Id);

    CacheKey? ICachedQuery.KeyIn(TenantScope tenant) => CacheKey.Of(tenant, CachePrefix.Project);

    IReadOnlyCollection<CacheTag> ICachedQuery.TagsIn(TenantScope tenant) => ProjectCacheTags.Of(tenant, Id);
}

internal sealed class GetProjectHandler(IVtpDb db, LiveKitAddress livekit) : IRequestHandler<GetProjectQuery, Result<ProjectView>>
{
    public async Task<Result<ProjectView>> Handle(GetProjectQuery request, CancellationToken cancellationToken)
    {
        var id = new ProjectId(request.Id);
        var project = await db.Projects.AsNoTracking().Where(project => project.Id == id).AsViews(db, livekit.Url).SingleOrDefaultAsync(cancellationToken);
        return project is null ? ProjectRefusals.NotFound : project;
    }
}
