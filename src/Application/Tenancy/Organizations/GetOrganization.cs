using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Organizations;

/// <summary>One of the caller's organizations.</summary>
[Requires(Permission.ViewOrganization)]
public sealed record GetOrganizationQuery(Guid Id) : IQuery<OrganizationView>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => new(Id);
}

internal sealed class GetOrganizationHandler(IVtpDb db, ICaller caller) : IRequestHandler<GetOrganizationQuery, Result<OrganizationView>>
{
    public async Task<Result<OrganizationView>> Handle(GetOrganizationQuery request, CancellationToken cancellationToken)
    {
        var id = new OrganizationId(request.Id);
        return await db.Organizations.AsNoTracking().Where(organization => organization.Id == id)
            .AsViews(db, caller.Required().AccountId)
            .SingleAsync(cancellationToken);
    }
}
