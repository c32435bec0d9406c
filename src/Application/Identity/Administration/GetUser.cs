using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;

namespace Vtp.Application.Identity.Administration;

/// <summary>One account.</summary>
[Requires(Permission.ManageAccounts)]
public sealed record GetUserQuery(Guid Id) : IQuery<ManagedUser>;

internal sealed class GetUserHandler(IVtpDb db) : IRequestHandler<GetUserQuery, Result<ManagedUser>>
{
    public async Task<Result<ManagedUser>> Handle(GetUserQuery request, CancellationToken cancellationToken)
    {
        var user = await db.Accounts.AsNoTracking()
            .Where(account => account.Id == new AccountId(request.Id))
            .AsManaged(db)
            .SingleOrDefaultAsync(cancellationToken);
        return user is null ? AccountRefusals.NotFound : user;
    }
}
