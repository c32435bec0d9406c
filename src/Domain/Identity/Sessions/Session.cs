using System.Security.Cryptography;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;

namespace Vtp.Domain.Identity.Sessions;

public readonly record struct SessionId(Guid Value)
{
    public static SessionId New(DateTimeOffset now) => new(Uuid.NewVersion7(now));

    public override string ToString() => Value.ToString();
}

/// <summary>How long a session lives, and how forgiving it is with refresh tokens that arrive late.</summary>
/// <param name="Idle">Unused for this long, it ends.</param>
/// <param name="Absolute">It ends after this long in any case.</param>
/// <param name="ReuseGrace">A token that was rotated this recently still answers its successor: tabs race, networks repeat.</param>
public sealed record SessionPolicy(TimeSpan Idle, TimeSpan Absolute, TimeSpan ReuseGrace);

/// <summary>Why a session is over.</summary>
public enum SessionEnd
{
    SignedOut,
    Revoked,
    PasswordChanged,
    TwoFactorChanged,
    AccountChanged,
    RefreshReused,
}

/// <summary>
/// One sign-in on one device: a family of refresh tokens, of which the newest is valid. See <see cref="RefreshToken"/>
/// for why no token is stored.
/// </summary>
public sealed class Session
{
    private const int MaximumRecentRotations = 64;

    private Session(SessionId id, AccountId accountId, DateTimeOffset createdAt)
    {
        (Id, AccountId, CreatedAt, LastSeenAt, AuthenticatedAt) = (id, accountId, createdAt, createdAt, createdAt);
    }

    public SessionId Id { get; private set; }

    public AccountId AccountId { get; private set; }

    /// <summary>Key of this family's tokens; sealed at rest.</summary>
    public byte[] RefreshKey { get; private set; } = [];

    public int RefreshCounter { get; private set; }

    /// <summary>When the last tokens were rotated, oldest first, as far back as the grace reaches.</summary>
    public DateTimeOffset[] RecentRotations { get; private set; } = [];

    public DateTimeOffset CreatedAt { get; private set; }

    public DateTimeOffset LastSeenAt { get; private set; }

    /// <summary>When the person last proved who they are (OpenID Connect's auth_time).</summary>
    public DateTimeOffset AuthenticatedAt { get; private set; }

    /// <summary>How they proved it, in the words of RFC 8176: pwd, otp, mfa.</summary>
    public string[] Methods { get; private set; } = [];

    public string? IpAddress { get; private set; }

    public string? UserAgent { get; private set; }

    public DateTimeOffset? EndedAt { get; private set; }

    public SessionEnd? EndReason { get; private set; }

    public static Session Start(AccountId accountId, string[] methods, string? ipAddress, string? userAgent, DateTimeOffset now) =>
        new(SessionId.New(now), accountId, now)
        {
            RefreshKey = RandomNumberGenerator.GetBytes(32),
            Methods = methods,
            IpAddress = ipAddress,
            UserAgent = userAgent,
        };

    public RefreshToken CurrentToken() => RefreshToken.Issue(Id, RefreshCounter, RefreshKey);

    public DateTimeOffset ExpiresAt(SessionPolicy policy) =>
        Earlier(LastSeenAt + policy.Idle, CreatedAt + policy.Absolute);

    public bool IsLive(SessionPolicy policy, DateTimeOffset now) => EndedAt is null && now < ExpiresAt(policy);

    /// <summary>
    /// Rotates. Every caller who presents a token within the grace of its rotation gets the family's current one, so
    /// that parallel refreshes sign nobody out; later than that, two parties hold the family, and it ends.
    /// </summary>
    public Result<RefreshToken> Refresh(RefreshToken presented, SessionPolicy policy, DateTimeOffset now)
    {
        if (!presented.IsGenuine(RefreshKey) || !IsLive(policy, now))
        {
            return SessionRefusals.TokenRejected;
        }

        var age = RefreshCounter - presented.Counter;
        if (age == 0)
        {
            RecentRotations = [.. RecentRotations.Where(at => now - at <= policy.ReuseGrace).TakeLast(MaximumRecentRotations - 1), now];
            RefreshCounter++;
            LastSeenAt = now;
            return CurrentToken();
        }

        if (age > 0 && age <= RecentRotations.Length && now - RecentRotations[^age] <= policy.ReuseGrace)
        {
            return CurrentToken();
        }

        End(SessionEnd.RefreshReused, now);
        return SessionRefusals.TokenReused;
    }

    public void Reauthenticated(DateTimeOffset now) => AuthenticatedAt = now;

    public void End(SessionEnd reason, DateTimeOffset now)
    {
        if (EndedAt is null)
        {
            (EndedAt, EndReason) = (now, reason);
        }
    }

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;
}

public static class SessionRefusals
{
    public static readonly Refusal TokenRejected =
        new(RefusalKind.Unauthenticated, "session.refresh_token_rejected", "Invalid refresh token");

    /// <summary>Tells the caller nothing that <see cref="TokenRejected"/> does not: a thief would be listening.</summary>
    public static readonly Refusal TokenReused = TokenRejected with { Code = "session.refresh_token_reused" };

    public static readonly Refusal NotFound =
        new(RefusalKind.NotFound, "session.not_found", "There is no such session.");
}
