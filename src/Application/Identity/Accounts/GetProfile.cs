using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;

namespace Vtp.Application.Identity.Accounts;

/// <summary>The caller's own account.</summary>
[Requires(Permission.SignedIn)]
public sealed record GetProfileQuery : IQuery<UserView>;

internal sealed class GetProfileHandler(IVtpDb db, ICaller caller) : IRequestHandler<GetProfileQuery, Result<UserView>>
{
    public async Task<Result<UserView>> Handle(GetProfileQuery request, CancellationToken cancellationToken)
    {
        var accountId = caller.Required().AccountId;
        var profile = await db.Accounts.AsNoTracking()
            .Where(account => account.Id == accountId)
            .AsViews(db)
            .SingleOrDefaultAsync(cancellationToken);
        return profile is null ? AccountRefusals.NotFound : profile;
    }
}
