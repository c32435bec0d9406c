using Vtp.Domain.Identity.Accounts;

namespace Vtp.Domain.Identity.TwoFactor;

/// <summary>The first factor was right; the second is awaited. Worth nothing without it.</summary>
public sealed class SignInChallenge
{
    public const int MaximumAttempts = 5;
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(300);

    private SignInChallenge(byte[] tokenHash, AccountId accountId, DateTimeOffset expiresAt) =>
        (TokenHash, AccountId, ExpiresAt) = (tokenHash, accountId, expiresAt);

    public byte[] TokenHash { get; private set; }

    public AccountId AccountId { get; private set; }

    /// <summary>What the first factor was: pwd or otp (RFC 8176).</summary>
    public string FirstMethod { get; private set; } = "pwd";

    public DateTimeOffset ExpiresAt { get; private set; }

    public int Attempts { get; private set; }

    public static SignInChallenge For(AccountId accountId, string firstMethod, string token, DateTimeOffset now) =>
        new(OneTimeSecret.Hash(token), accountId, now + Lifetime) { FirstMethod = firstMethod };

    public bool IsOpen(DateTimeOffset now) => now < ExpiresAt && Attempts < MaximumAttempts;

    /// <summary>True while more attempts are left.</summary>
    public bool CountFailure() => ++Attempts < MaximumAttempts;
}
