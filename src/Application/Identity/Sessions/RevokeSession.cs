using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Identity.SecurityEvents;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.SecurityEvents;
using Vtp.Domain.Identity.Sessions;

namespace Vtp.Application.Identity.Sessions;

/// <summary>Ends one of the caller's own sessions, on whatever device it is.</summary>
[Requires(Permission.SignedIn)]
[Audited(AuditActions.SessionRevoked)]
public sealed record RevokeSessionCommand(Guid Id) : ICommand<Done>;

internal sealed class RevokeSessionHandler(IVtpDb db, ICaller caller, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<RevokeSessionCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(RevokeSessionCommand request, CancellationToken cancellationToken)
    {
        var (signedIn, now) = (caller.Required(), clock.GetUtcNow());
        var session = await db.Sessions.OpenOf(signedIn.AccountId)
            .SingleOrDefaultAsync(session => session.Id == new SessionId(request.Id), cancellationToken);
        if (session is null)
        {
            return SessionRefusals.NotFound;
        }

        audit.TargetId = request.Id;
        session.End(SessionEnd.Revoked, now);
        db.Record(signedIn.AccountId, SecurityEventType.SessionRevoked, caller, now);
        await db.SaveChangesAsync(cancellationToken);
        return Done.Value;
    }
}
