using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Identity.SecurityEvents;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.SecurityEvents;
using Vtp.Domain.Identity.Sessions;

namespace Vtp.Application.Identity.Sessions;

/// <summary>Ends the session that asks; its access token stops working within two seconds on every node.</summary>
[Requires(Permission.SignedIn)]
[Audited(AuditActions.SessionSignedOut)]
public sealed record SignOutCommand : ICommand<Message>;

internal sealed class SignOutHandler(IVtpDb db, ICaller caller, TimeProvider clock) : IRequestHandler<SignOutCommand, Result<Message>>
{
    public async Task<Result<Message>> Handle(SignOutCommand request, CancellationToken cancellationToken)
    {
        var (signedIn, now) = (caller.Required(), clock.GetUtcNow());
        var session = await db.Sessions.SingleAsync(session => session.Id == signedIn.SessionId, cancellationToken);
        session.End(SessionEnd.SignedOut, now);
        db.Record(signedIn.AccountId, SecurityEventType.SignedOut, caller, now);
        await db.SaveChangesAsync(cancellationToken);
        return new Message("You are signed out.");
    }
}
