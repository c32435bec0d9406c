using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Members;

/// <summary>One member.</summary>
/// <param name="UserId">Of the membership or of the account.</param>
[Requires(Permission.ViewOrganization)]
public sealed record GetMemberQuery(Guid Id, Guid UserId) : IQuery<MemberView>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => new(Id);
}

internal sealed class GetMemberHandler(IVtpDb db) : IRequestHandler<GetMemberQuery, Result<MemberView>>
{
    public async Task<Result<MemberView>> Handle(GetMemberQuery request, CancellationToken cancellationToken)
    {
        var member = await db.Members.AsNoTracking().ById(new OrganizationId(request.Id), request.UserId).AsViews(db).SingleOrDefaultAsync(cancellationToken);
        return member is null ? MemberRefusals.NotFound : member;
    }
}
