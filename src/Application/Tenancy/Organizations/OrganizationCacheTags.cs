using Vtp.Application.Common.Caching;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Organizations;

internal static class OrganizationCacheTags
{
    public static CacheTag[] Of(Guid id) => [CacheTag.Of(new OrganizationId(id), CachePrefix.Organization)];
}
