using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;

namespace Vtp.Domain.Identity.SecurityEvents;

/// <summary>What happened to an account's security, as its owner is shown it.</summary>
public enum SecurityEventType
{
    Registered,
    SignedIn,
    SignInFailed,
    SecondFactorFailed,
    SecondFactorLocked,
    SignedOut,
    SignedOutEverywhere,
    SessionRevoked,
    RefreshTokenReused,
    PasswordChanged,
    PasswordResetRequested,
    PasswordReset,
    EmailVerified,
    TwoFactorEnabled,
    TwoFactorDisabled,
    BackupCodesRegenerated,
    BackupCodeUsed,
    RoleChanged,
    AccountDisabled,
    AccountEnabled,
}

public sealed class SecurityEvent
{
    private SecurityEvent(Guid id, AccountId accountId, SecurityEventType type, DateTimeOffset createdAt) =>
        (Id, AccountId, Type, CreatedAt) = (id, accountId, type, createdAt);

    public Guid Id { get; private set; }

    public AccountId AccountId { get; private set; }

    public SecurityEventType Type { get; private set; }

    public string? IpAddress { get; private set; }

    public string? UserAgent { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public static SecurityEvent Of(
        AccountId accountId, SecurityEventType type, string? ipAddress, string? userAgent, DateTimeOffset now) =>
        new(Uuid.NewVersion7(now), accountId, type, now) { IpAddress = ipAddress, UserAgent = userAgent };
}
