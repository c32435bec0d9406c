using Vtp.Domain.Common;

namespace Vtp.Domain.Identity.Accounts;

/// <summary>
/// A person. Several accounts may claim one address; the first that proves to read its mail owns it, which is why
/// registering never has to say whether an address is taken.
/// </summary>
public sealed class Account
{
    private Account(AccountId id, EmailAddress email, string fullName, Role role, DateTimeOffset createdAt)
    {
        (Id, Email, FullName, Role, CreatedAt, UpdatedAt) = (id, email, fullName, role, createdAt, createdAt);
    }

    public AccountId Id { get; private set; }

    public EmailAddress Email { get; private set; }

    public string FullName { get; private set; }

    public string? Phone { get; private set; }

    public string Locale { get; private set; } = "en";

    public Role Role { get; private set; }

    /// <summary>PHC string; null until a person who was invited, or came by e-mail code, chooses one.</summary>
    public string? PasswordHash { get; private set; }

    public DateTimeOffset? PasswordChangedAt { get; private set; }

    public DateTimeOffset? EmailVerifiedAt { get; private set; }

    public DateTimeOffset? DisabledAt { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public DateTimeOffset UpdatedAt { get; private set; }

    public bool IsDisabled => DisabledAt is not null;

    public bool OwnsEmail => EmailVerifiedAt is not null;

    public static Account Register(
        EmailAddress email, string fullName, string? phone, Role role, string? passwordHash, DateTimeOffset now) =>
        new(AccountId.New(now), email, fullName.Trim(), role, now)
        {
            Phone = phone,
            PasswordHash = passwordHash,
            PasswordChangedAt = passwordHash is null ? null : now,
        };

    public void ChangeProfile(string? fullName, string? phone, string? locale, DateTimeOffset now)
    {
        FullName = fullName?.Trim() ?? FullName;
        Phone = phone is null ? Phone : phone.Length == 0 ? null : phone;
        Locale = locale ?? Locale;
        UpdatedAt = now;
    }

    public void ChangePassword(string passwordHash, DateTimeOffset now) =>
        (PasswordHash, PasswordChangedAt, UpdatedAt) = (passwordHash, now, now);

    /// <summary>The same password under a newer hash: nothing that a person would notice has changed.</summary>
    public void UpgradePasswordHash(string passwordHash) => PasswordHash = passwordHash;

    /// <summary>A link or code that only this address received has come back.</summary>
    public void ProveMailbox(DateTimeOffset now)
    {
        if (!OwnsEmail)
        {
            (EmailVerifiedAt, UpdatedAt) = (now, now);
        }
    }

    /// <summary>
    /// The mailbox's reader signs in to a claim that was never verified. Whoever registered it may be somebody else,
    /// so the password that they chose dies here (account pre-hijacking).
    /// </summary>
    public void ClaimByMailbox(DateTimeOffset now)
    {
        (PasswordHash, PasswordChangedAt) = (null, now);
        ProveMailbox(now);
    }

    public void ChangeRole(Role role, DateTimeOffset now) => (Role, UpdatedAt) = (role, now);

    public void Disable(DateTimeOffset now) => (DisabledAt, UpdatedAt) = (DisabledAt ?? now, now);

    public void Enable(DateTimeOffset now) => (DisabledAt, UpdatedAt) = (null, now);
}

public static class AccountRefusals
{
    public static readonly Refusal CredentialsRejected =
        new(RefusalKind.Unauthenticated, "account.credentials_rejected", "Invalid email or password");

    public static readonly Refusal PasswordRejected =
        new(RefusalKind.Unauthenticated, "account.password_rejected", "The current password is not right.");

    public static readonly Refusal Disabled =
        new(RefusalKind.Forbidden, "account.disabled", "This account is disabled. Ask an administrator of your school.");

    public static readonly Refusal NotFound =
        new(RefusalKind.NotFound, "account.not_found", "There is no such account.");

    public static readonly Refusal LastAdministrator =
        new(RefusalKind.Conflict, "account.last_administrator", "This is the last administrator; appoint another one first.");

    public static readonly Refusal AddressTaken =
        new(RefusalKind.Conflict, "account.address_taken", "Another account owns this address.");

    public static readonly Refusal RecentSignInNeeded =
        new(RefusalKind.Forbidden, "account.recent_sign_in_needed", "Send your password, or sign in again within the last five minutes.");
}
