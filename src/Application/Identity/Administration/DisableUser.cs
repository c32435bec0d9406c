using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Application.Identity.Accounts;
using Vtp.Application.Identity.SecurityEvents;
using Vtp.Application.Identity.Sessions;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.SecurityEvents;
using Vtp.Domain.Identity.Sessions;

namespace Vtp.Application.Identity.Administration;

/// <summary>Keeps an account out until it is enabled again; it is signed out everywhere. The last administrator stays.</summary>
[Requires(Permission.ManageAccounts)]
[Audited(AuditActions.AccountDisabled)]
public sealed record DisableUserCommand(Guid Id) : ICommand<ManagedUser>, IInvalidates
{
    IReadOnlyCollection<CacheTag> IInvalidates.InvalidatedIn(TenantScope tenant) => AccountCacheTags.All;
}

internal sealed class DisableUserHandler(IVtpDb db, ICaller caller, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<DisableUserCommand, Result<ManagedUser>>
{
    public async Task<Result<ManagedUser>> Handle(DisableUserCommand request, CancellationToken cancellationToken)
    {
        var (id, now) = (new AccountId(request.Id), clock.GetUtcNow());
        audit.TargetId = request.Id;
        await db.BeginAsync(cancellationToken);
        if (await db.IsLastAdministratorAsync(id, cancellationToken))
        {
            return AccountRefusals.LastAdministrator;
        }

        var account = await db.Accounts.SingleOrDefaultAsync(account => account.Id == id, cancellationToken);
        if (account is null)
        {
            return AccountRefusals.NotFound;
        }

        account.Disable(now);
        await db.EndSessionsAsync(id, except: null, SessionEnd.AccountChanged, now, cancellationToken);
        db.Record(id, SecurityEventType.AccountDisabled, caller, now);
        await db.SaveChangesAsync(cancellationToken);
        return await db.ManagedAsync(id, cancellationToken);
    }
}
