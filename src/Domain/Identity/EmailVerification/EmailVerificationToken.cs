using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;

namespace Vtp.Domain.Identity.EmailVerification;

/// <summary>Mailed to the address that an account claims: 24 hours. A newer one replaces it.</summary>
public sealed class EmailVerificationToken
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    private EmailVerificationToken(AccountId accountId) => AccountId = accountId;

    public AccountId AccountId { get; private set; }

    public byte[] TokenHash { get; private set; } = [];

    public DateTimeOffset ExpiresAt { get; private set; }

    public static EmailVerificationToken For(AccountId accountId) => new(accountId);

    /// <summary>The new token, for the mail alone.</summary>
    public string Renew(DateTimeOffset now)
    {
        var token = OneTimeSecret.New();
        (TokenHash, ExpiresAt) = (OneTimeSecret.Hash(token), now + Lifetime);
        return token;
    }
}

public static class EmailVerificationRefusals
{
    public static readonly Refusal TokenRejected =
        new(RefusalKind.Invalid, "email_verification.token_rejected", "This link has expired or was used. Ask for a new one.");
}
