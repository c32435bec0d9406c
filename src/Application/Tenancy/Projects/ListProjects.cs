using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Projects;

/// <summary>The projects of the caller's organizations, newest first; of a key, its own.</summary>
/// <param name="OrgId">One organization; all of the caller's when absent.</param>
/// <param name="Search">Part of a name, without case and accents.</param>
/// <param name="Deleted">True lists those that can still be brought back.</param>
/// <param name="Limit">1 to 100; 20 when absent.</param>
[Requires(Permission.ViewOrganization)]
[OpenToKeys(KeyScopes.ProjectRead)]
public sealed record ListProjectsQuery(Guid? OrgId, string? Search, bool? Deleted, int? Page, int? Limit) : IQuery<Page<ProjectView>>, IAboutOrganization, ICachedQuery
{
    OrganizationId? IAboutOrganization.Organization => OrgId is { } id ? new(id) : null;

    CacheKey? ICachedQuery.KeyIn(TenantScope tenant)
    {
        // What is searched for is seldom asked twice, and which deletions can be undone changes with time.
        var isAskedAgain = string.IsNullOrWhiteSpace(Search) && Deleted != true;
        var (page, limit) = Paging.Clamp(Page, Limit);
        return isAskedAgain ? CacheKey.Of(tenant, CachePrefix.Projects, $"{page}", $"{limit}") : null;
    }

    IReadOnlyCollection<CacheTag> ICachedQuery.TagsIn(TenantScope tenant) => ProjectCacheTags.ListsOf(tenant);
}

internal sealed class ListProjectsValidator : AbstractValidator<ListProjectsQuery>
{
    public ListProjectsValidator() => RuleFor(query => query.Search).IsSearch();
}

internal sealed class ListProjectsHandler(IVtpDb db, LiveKitAddress livekit, TimeProvider clock)
    : IRequestHandler<ListProjectsQuery, Result<Page<ProjectView>>>
{
    public async Task<Result<Page<ProjectView>>> Handle(ListProjectsQuery request, CancellationToken cancellationToken)
    {
        // Projects of a deleted organization are not in view, whatever they are themselves.
        var projects = db.Projects.AsNoTracking();
        if (request.Deleted == true)
        {
            var undoable = clock.GetUtcNow() - SoftDelete.UndoFor;
            projects = projects.WithDeleted().Where(project => project.DeletedAt > undoable);
        }

        if (!string.IsNullOrWhiteSpace(request.Search))
        {
            projects = projects.Where(project =>
                EF.Functions.Like(EF.Property<string>(project, Queries.SearchText), Queries.Fold(Queries.Anywhere(request.Search)), Queries.Escape));
        }

        return await projects.OrderByDescending(project => project.Id)
            .AsViews(db, livekit.Url)
            .ToPageAsync(request.Page, request.Limit, cancellationToken);
    }
}
