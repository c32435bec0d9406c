using MediatR;
using Vtp.Application.Common;
using Vtp.Application.Identity.SecurityEvents;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.SecurityEvents;
using Vtp.Domain.Identity.Sessions;

namespace Vtp.Application.Identity.Sessions;

/// <summary>Ends every session of the account, the one that asks included.</summary>
[Requires(Permission.SignedIn)]
[Audited(AuditActions.SessionSignedOutEverywhere)]
public sealed record SignOutEverywhereCommand : ICommand<SignedOutEverywhere>;

/// <param name="SessionsEnded">How many devices were signed out, this one included.</param>
public sealed record SignedOutEverywhere(int SessionsEnded, string Message);

internal sealed class SignOutEverywhereHandler(IVtpDb db, ICaller caller, TimeProvider clock)
    : IRequestHandler<SignOutEverywhereCommand, Result<SignedOutEverywhere>>
{
    public async Task<Result<SignedOutEverywhere>> Handle(SignOutEverywhereCommand request, CancellationToken cancellationToken)
    {
        var (accountId, now) = (caller.Required().AccountId, clock.GetUtcNow());
        var ended = await db.EndSessionsAsync(accountId, except: null, SessionEnd.SignedOut, now, cancellationToken);
        db.Record(accountId, SecurityEventType.SignedOutEverywhere, caller, now);
        await db.SaveChangesAsync(cancellationToken);
        return new SignedOutEverywhere(ended, "You are signed out on every device.");
    }
}
