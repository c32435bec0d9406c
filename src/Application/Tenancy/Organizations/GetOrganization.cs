using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Organizations;

/// <summary>One of the caller's organizations.</summary>
[Requires(Permission.ViewOrganization)]
public sealed record GetOrganizationQuery(Guid Id) : IQuery<OrganizationView>, IAboutOrganization, ICachedQuery
{
    OrganizationId? IAboutOrganization.Organization => new(Id);

    CacheKey? ICachedQuery.KeyIn(TenantScope tenant) => CacheKey.Of(tenant, CachePrefix.Organization, $"{tenant.Role}");

    IReadOnlyCollection<CacheTag> ICachedQuery.TagsIn(TenantScope tenant) => OrganizationCacheTags.Of(Id);
}

internal sealed class GetOrganizationHandler(IVtpDb db, TenantScope tenant) : IRequestHandler<GetOrganizationQuery, Result<OrganizationView>>
{
    public async Task<Result<OrganizationView>> Handle(GetOrganizationQuery request, CancellationToken cancellationToken)
    {
        var id = new OrganizationId(request.Id);
        return await db.Organizations.AsNoTracking().Where(organization => organization.Id == id)
            .AsViews(tenant.Role!.Value)
            .SingleAsync(cancellationToken);
    }
}
