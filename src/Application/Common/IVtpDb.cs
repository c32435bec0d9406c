using Microsoft.EntityFrameworkCore;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.Administration;
using Vtp.Domain.Identity.EmailVerification;
using Vtp.Domain.Identity.PasswordReset;
using Vtp.Domain.Identity.SecurityEvents;
using Vtp.Domain.Identity.Sessions;
using Vtp.Domain.Identity.TwoFactor;
using Vtp.Domain.Notifications;
using Vtp.Domain.Operations;
using Vtp.Domain.Realtime;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Exports;
using Vtp.Domain.Tenancy.Invitations;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Webhooks;

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

    DbSet<Organization> Organizations { get; }

    DbSet<Member> Members { get; }

    DbSet<Invitation> Invitations { get; }

    DbSet<Project> Projects { get; }

    DbSet<ApiKey> ApiKeys { get; }

    DbSet<ArchiveExport> ArchiveExports { get; }

    DbSet<WebhookEndpoint> WebhookEndpoints { get; }

    DbSet<WebhookSigningSecret> WebhookSecrets { get; }

    DbSet<WebhookHealth> WebhookHealths { get; }

    DbSet<WebhookDelivery> WebhookDeliveries { get; }

    DbSet<WebhookAttempt> WebhookAttempts { get; }

    DbSet<SystemAlert> SystemAlerts { get; }

    DbSet<DashboardAlert> DashboardAlerts { get; }

    /// <summary>
    /// Puts a job beside the changes of the next <see cref="SaveChangesAsync"/>: it is there once that has committed, or not
    /// at all. It belongs to the organization and project in view.
    /// </summary>
    /// <param name="command">Of a type with <see cref="JobAttribute"/>. Kept as JSON, readable to whoever reads the database.</param>
    /// <param name="runAt">Not before then; null for as soon as it is committed.</param>
    /// <param name="uniqueKey">
    /// Of this kind, organization and key at most one job waits and at most one runs. Another joins the one that waits, at the
    /// sooner time of the two; while one runs, it waits until that run has ended, so that no change during a run is missed.
    /// </param>
    /// <param name="priority">Lower goes first among the jobs of one organization and kind.</param>
    void Enqueue(ICommand<Done> command, DateTimeOffset? runAt = null, string? uniqueKey = null, short priority = 0);

    /// <summary>
    /// Begins a transaction, for handlers that lock what they read with <see cref="Queries.ForUpdate"/>. The next save
    /// commits it; without one it rolls back when the request ends. Under an idempotency key one is open already.
    /// </summary>
    Task BeginAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Commits everything, the audit entry of the running use case included. Under an idempotency key the commit comes
    /// later, with the answer.
    /// </summary>
    Task<int> SaveChangesAsync(CancellationToken cancellationToken = default);

    /// <summary>Writes what has changed so far without committing it: for handlers whose statements must come in an order.</summary>
    Task SaveForNowAsync(CancellationToken cancellationToken);

    /// <summary>Commits at once what must outlive a refusal (a counted failure, an ended session), without an entry of success.</summary>
    Task SaveUnauditedAsync(CancellationToken cancellationToken);

    /// <summary>Writes an entry by itself, after giving up whatever the handler left unsaved: locks and half-made changes.</summary>
    Task WriteAuditAsync(AuditEntry entry, CancellationToken cancellationToken);

    /// <summary>What the next <see cref="SaveChangesAsync"/> adds to the trail; null once it has been added.</summary>
    Func<AuditEntry>? PendingAudit { get; set; }
}

public static class Queries
{
    public const string ForUpdateTag = "vtp: for update";

    /// <summary>The generated column that searches read.</summary>
    public const string SearchText = "SearchText";

    /// <summary>The generated column of an endpoint's health: its breaker is not closed.</summary>
    public const string IsPaused = "IsPaused";

    /// <summary>The filter that hides other organizations' rows; only the server's own work lifts it.</summary>
    public const string TenantFilter = "tenant";

    /// <summary>The filter that hides what is deleted.</summary>
    public const string AliveFilter = "alive";

    /// <summary>Locks the rows that this query finds until the transaction ends.</summary>
    public static IQueryable<T> ForUpdate<T>(this IQueryable<T> query) => query.TagWith(ForUpdateTag);

    /// <summary>Rows of every organization, for the server's own work in <see cref="TenantScope.EnterSystem"/>.</summary>
    public static IQueryable<T> OfAllTenants<T>(this IQueryable<T> query)
        where T : class =>
        query.IgnoreQueryFilters([TenantFilter]);

    public static IQueryable<T> WithDeleted<T>(this IQueryable<T> query)
        where T : class =>
        query.IgnoreQueryFilters([AliveFilter]);

    /// <summary>For LIKE; see <see cref="Anywhere"/>.</summary>
    public const string Escape = @"\";

    /// <summary>Part of a text without regard to case and accents; <paramref name="text"/> is a folded column.</summary>
    public static string Fold(string text) => throw new InvalidOperationException("Runs in the database.");

    /// <summary>A LIKE pattern that matches <paramref name="part"/> anywhere, whatever characters it holds.</summary>
    public static string Anywhere(string part) =>
        $"%{part.Trim().Replace(@"\", @"\\", StringComparison.Ordinal).Replace("%", @"\%", StringComparison.Ordinal).Replace("_", @"\_", StringComparison.Ordinal)}%";
}
