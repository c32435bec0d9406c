using Microsoft.EntityFrameworkCore;
using Vtp.Domain.Audit;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.Administration;
using Vtp.Domain.Identity.EmailVerification;
using Vtp.Domain.Identity.PasswordReset;
using Vtp.Domain.Identity.SecurityEvents;
using Vtp.Domain.Identity.Sessions;
using Vtp.Domain.Identity.TwoFactor;
using Vtp.Domain.Notifications;

namespace Vtp.Application.Common;

/// <summary>The database as use cases see it: sets to query, one save that commits.</summary>
public interface IVtpDb
{
    DbSet<Account> Accounts { get; }

    DbSet<Session> Sessions { get; }

    DbSet<SecondFactor> SecondFactors { get; }

    DbSet<SignInChallenge> SignInChallenges { get; }

    DbSet<EmailCode> EmailCodes { get; }

    DbSet<PasswordResetToken> PasswordResetTokens { get; }

    DbSet<EmailVerificationToken> EmailVerificationTokens { get; }

    DbSet<SetupLink> SetupLinks { get; }

    DbSet<SecurityEvent> SecurityEvents { get; }

    DbSet<OutgoingEmail> Emails { get; }

    DbSet<AuditEntry> AuditEntries { get; }

    /// <summary>
    /// Begins a transaction, for handlers that lock what they read with <see cref="Queries.ForUpdate"/>. The next save
    /// commits it; without one it rolls back when the request ends.
    /// </summary>
    Task BeginAsync(CancellationToken cancellationToken);

    /// <summary>Commits everything, the audit entry of the running use case included.</summary>
    Task<int> SaveChangesAsync(CancellationToken cancellationToken = default);

    /// <summary>Commits what must outlive a refusal (a counted failure, an ended session), without an entry of success.</summary>
    Task SaveUnauditedAsync(CancellationToken cancellationToken);

    /// <summary>Writes an entry by itself, after giving up whatever the handler left unsaved: locks and half-made changes.</summary>
    Task WriteAuditAsync(AuditEntry entry, CancellationToken cancellationToken);

    /// <summary>What the next <see cref="SaveChangesAsync"/> adds to the trail; null once it has been added.</summary>
    Func<AuditEntry>? PendingAudit { get; set; }
}

public static class Queries
{
    public const string ForUpdateTag = "vtp: for update";

    /// <summary>Locks the rows that this query finds until the transaction ends.</summary>
    public static IQueryable<T> ForUpdate<T>(this IQueryable<T> query) => query.TagWith(ForUpdateTag);
}
