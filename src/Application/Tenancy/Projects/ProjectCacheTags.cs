using Vtp.Application.Common;
using Vtp.Application.Common.Caching;

namespace Vtp.Application.Tenancy.Projects;

internal static class ProjectCacheTags
{
    public static CacheTag[] Of(TenantScope tenant, Guid project) =>
        tenant.Organization is { } organization ? [CacheTag.Of(organization, CachePrefix.Project, project.ToString())] : [];

    /// <summary>Every list of the organization's projects.</summary>
    public static CacheTag[] ListsOf(TenantScope tenant) =>
        tenant.Organization is { } organization ? [CacheTag.Of(organization, CachePrefix.Projects)] : [];

    /// <summary>All that shows this project.</summary>
    public static CacheTag[] Showing(TenantScope tenant, Guid project) => [.. Of(tenant, project), .. ListsOf(tenant)];
}
