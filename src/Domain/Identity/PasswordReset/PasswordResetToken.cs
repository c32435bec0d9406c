using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;

namespace Vtp.Domain.Identity.PasswordReset;

/// <summary>Proof that somebody reads the account's mail: 24 hours, once. One per account: a newer one kills the older.</summary>
public sealed class PasswordResetToken
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    private PasswordResetToken(AccountId accountId) => AccountId = accountId;

    public AccountId AccountId { get; private set; }

    public byte[] TokenHash { get; private set; } = [];

    public DateTimeOffset CreatedAt { get; private set; }

    public DateTimeOffset ExpiresAt { get; private set; }

    /// <summary>Where it was asked for; shown in the mail, so that its reader can judge.</summary>
    public string? IpAddress { get; private set; }

    public string? UserAgent { get; private set; }

    public static PasswordResetToken For(AccountId accountId) => new(accountId);

    /// <summary>The new token, for the mail alone.</summary>
    public string Renew(string? ipAddress, string? userAgent, DateTimeOffset now)
    {
        var token = OneTimeSecret.New();
        (TokenHash, CreatedAt, ExpiresAt) = (OneTimeSecret.Hash(token), now, now + Lifetime);
        (IpAddress, UserAgent) = (ipAddress, userAgent);
        return token;
    }
}

public static class PasswordResetRefusals
{
    public static readonly Refusal TokenRejected =
        new(RefusalKind.Unauthenticated, "password_reset.token_rejected", "This link has expired or was used. Ask for a new one.");
}
