using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;

namespace Vtp.Domain.Notifications;

/// <summary>Which mail; its text and what it links to are made when it is sent.</summary>
public enum EmailKind
{
    VerifyEmail,
    PasswordReset,
    SignInCode,
    PasswordChanged,
    TwoFactorChanged,
    Invitation,

    /// <summary>An endpoint has failed for an hour, or a day.</summary>
    WebhookFailing,
    WebhookDisabled,
    ExportReady,
}

/// <summary>
/// A mail to be sent, written in the transaction that is its reason. It holds no secret: tokens and codes are made by
/// the sender and exist in the mail alone. It is written whether or not the address has an account, so that asking
/// for one takes the same time either way.
/// </summary>
public sealed class OutgoingEmail
{
    private OutgoingEmail(Guid id, EmailKind kind, EmailAddress recipient, DateTimeOffset createdAt) =>
        (Id, Kind, Recipient, CreatedAt) = (id, kind, recipient, createdAt);

    public Guid Id { get; private set; }

    public EmailKind Kind { get; private set; }

    public EmailAddress Recipient { get; private set; }

    /// <summary>The account that it is about; null when all we were given was an address.</summary>
    public AccountId? AccountId { get; private set; }

    /// <summary>What else it is about: an invitation, an endpoint, an export.</summary>
    public Guid? SubjectId { get; private set; }

    /// <summary>Where the request came from, for mails that say so.</summary>
    public string? IpAddress { get; private set; }

    public string? UserAgent { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>Of mail that a server of an older version wrote; null where a job sees to it.</summary>
    public DateTimeOffset? NextAttemptAt { get; private set; }

    public int Attempts { get; private set; }

    /// <summary>Accepted by the mail server, or found to have nobody to go to.</summary>
    public DateTimeOffset? SettledAt { get; private set; }

    /// <summary>Why the last attempt, or the mail as a whole, failed.</summary>
    public string? Failure { get; private set; }

    public static OutgoingEmail To(
        EmailAddress recipient, EmailKind kind, AccountId? accountId, string? ipAddress, string? userAgent, DateTimeOffset now) =>
        new(Uuid.NewVersion7(now), kind, recipient, now) { AccountId = accountId, IpAddress = ipAddress, UserAgent = userAgent };

    public static OutgoingEmail About(Guid subjectId, EmailAddress recipient, EmailKind kind, DateTimeOffset now) =>
        new(Uuid.NewVersion7(now), kind, recipient, now) { SubjectId = subjectId };

    public void Settle(DateTimeOffset now, string? failure = null) => (Attempts, SettledAt, Failure) = (Attempts + 1, now, failure);

    public void Failed(string failure) => (Attempts, Failure) = (Attempts + 1, failure);
}
