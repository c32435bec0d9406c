using Vtp.Application.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.SecurityEvents;

namespace Vtp.Application.Identity.SecurityEvents;

internal static class SecurityLog
{
    /// <summary>Adds an event to the account's own log; the handler saves.</summary>
    public static void Record(this IVtpDb db, AccountId accountId, SecurityEventType type, ICaller caller, DateTimeOffset now) =>
        db.SecurityEvents.Add(SecurityEvent.Of(accountId, type, caller.IpAddress, caller.UserAgent, now));
}
