using Vtp.Application.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.SecurityEvents;
using Vtp.Domain.Identity.Sessions;

namespace Vtp.Application.Identity.Sessions;

/// <summary>The end of every way to sign in: a session, its first tokens, and the event that its owner will see.</summary>
internal sealed class SessionStarter(IVtpDb db, IAccessTokens tokens, ICaller caller, AuditSubject audit, TimeProvider clock)
{
    /// <summary>Adds the session; the handler saves.</summary>
    public SignedIn Start(Account account, bool twoFactorEnabled, params string[] methods)
    {
        var now = clock.GetUtcNow();
        var session = Session.Start(account.Id, methods, caller.IpAddress, caller.UserAgent, now);
        db.Sessions.Add(session);
        db.SecurityEvents.Add(SecurityEvent.Of(account.Id, SecurityEventType.SignedIn, caller.IpAddress, caller.UserAgent, now));
        (audit.ActorId, audit.TargetId) = (account.Id.Value, account.Id.Value);

        return new SignedIn(
            tokens.Issue(account, session),
            session.CurrentToken().Reveal(),
            (int)tokens.Lifetime.TotalSeconds,
            "Bearer",
            UserView.Of(account, twoFactorEnabled));
    }
}
