using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Application.Identity.Accounts;
using Vtp.Application.Identity.SecurityEvents;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.SecurityEvents;

namespace Vtp.Application.Identity.Administration;

/// <summary>Lets a disabled account sign in again.</summary>
[Requires(Permission.ManageAccounts)]
[Audited(AuditActions.AccountEnabled)]
public sealed record EnableUserCommand(Guid Id) : ICommand<ManagedUser>, IInvalidates
{
    IReadOnlyCollection<CacheTag> IInvalidates.InvalidatedIn(TenantScope tenant) => AccountCacheTags.All;
}

internal sealed class EnableUserHandler(IVtpDb db, ICaller caller, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<EnableUserCommand, Result<ManagedUser>>
{
    public async Task<Result<ManagedUser>> Handle(EnableUserCommand request, CancellationToken cancellationToken)
    {
        var (id, now) = (new AccountId(request.Id), clock.GetUtcNow());
        audit.TargetId = request.Id;
        var account = await db.Accounts.SingleOrDefaultAsync(account => account.Id == id, cancellationToken);
        if (account is null)
        {
            return AccountRefusals.NotFound;
        }

        account.Enable(now);
        db.Record(id, SecurityEventType.AccountEnabled, caller, now);
        await db.SaveChangesAsync(cancellationToken);
        return await db.ManagedAsync(id, cancellationToken);
    }
}
