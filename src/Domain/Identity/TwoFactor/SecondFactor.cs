using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;

namespace Vtp.Domain.Identity.TwoFactor;

/// <summary>
/// An account's authenticator app and backup codes. Every code is checked while this row is locked, so that one code
/// counts once however many copies of it arrive.
/// </summary>
public sealed class SecondFactor
{
    public const int MaximumFailures = 10;
    public static readonly TimeSpan LockTime = TimeSpan.FromMinutes(15);

    private SecondFactor(AccountId accountId) => AccountId = accountId;

    public AccountId AccountId { get; private set; }

    /// <summary>Sealed at rest.</summary>
    public byte[] Secret { get; private set; } = [];

    /// <summary>Null while set-up waits for its first code.</summary>
    public DateTimeOffset? EnabledAt { get; private set; }

    /// <summary>The newest time step whose code was used; older and equal ones are refused (RFC 6238 section 5.2).</summary>
    public long LastStep { get; private set; }

    public int Failures { get; private set; }

    public DateTimeOffset? LockedUntil { get; private set; }

    public string[] BackupCodeHashes { get; private set; } = [];

    public DateTimeOffset? BackupCodesCreatedAt { get; private set; }

    public bool IsOn => EnabledAt is not null;

    public static SecondFactor SetUp(AccountId accountId) => new(accountId) { Secret = Totp.NewSecret() };

    /// <summary>Starts over with a new secret; the one that is on is never replaced.</summary>
    public Result<Done> SetUpAgain()
    {
        if (IsOn)
        {
            return TwoFactorRefusals.AlreadyOn;
        }

        Secret = Totp.NewSecret();
        return Done.Value;
    }

    public Result<BackupCodes> Enable(string code, DateTimeOffset now)
    {
        if (IsOn)
        {
            return TwoFactorRefusals.AlreadyOn;
        }

        if (!Accept(code, now, backupCodes: false).TryGet(out _, out var refusal))
        {
            return refusal;
        }

        EnabledAt = now;
        return RenewBackupCodes(now);
    }

    /// <summary>A code from the app or from the sheet, at sign-in or to confirm something grave.</summary>
    public Result<Done> Verify(string code, DateTimeOffset now) =>
        IsOn ? Accept(code, now, backupCodes: true) : TwoFactorRefusals.NotOn;

    public BackupCodes RenewBackupCodes(DateTimeOffset now)
    {
        var sheet = BackupCodes.New();
        (BackupCodeHashes, BackupCodesCreatedAt) = (sheet.Hashes(), now);
        return sheet;
    }

    /// <summary>The person has proved their mailbox: guesses that others made must not keep them out.</summary>
    public void Unlock() => (Failures, LockedUntil) = (0, null);

    private Result<Done> Accept(string code, DateTimeOffset now, bool backupCodes)
    {
        if (LockedUntil > now)
        {
            return TwoFactorRefusals.Locked(LockedUntil.Value - now);
        }

        if (Totp.FindStep(Secret, code, now) is { } step && step > LastStep)
        {
            LastStep = step;
            Unlock();
            return Done.Value;
        }

        if (backupCodes && BackupCodeHashes.Contains(BackupCodes.Hash(code), StringComparer.Ordinal))
        {
            BackupCodeHashes = [.. BackupCodeHashes.Where(hash => hash != BackupCodes.Hash(code))];
            Unlock();
            return Done.Value;
        }

        if (++Failures >= MaximumFailures)
        {
            (Failures, LockedUntil) = (0, now + LockTime);
            return TwoFactorRefusals.Locked(LockTime);
        }

        return TwoFactorRefusals.CodeRejected;
    }
}

public static class TwoFactorRefusals
{
    public static readonly Refusal NotSetUp =
        new(RefusalKind.Conflict, "two_factor.not_set_up", "Start with POST /api/v1/auth/2fa/setup.");

    public static readonly Refusal NotOn =
        new(RefusalKind.Conflict, "two_factor.not_on", "Two-factor sign-in is not on.");

    public static readonly Refusal AlreadyOn =
        new(RefusalKind.Conflict, "two_factor.already_on", "Two-factor sign-in is on already; disable it first.");

    public static readonly Refusal CodeRejected =
        new(RefusalKind.Unauthenticated, "two_factor.code_rejected", "That code is not right, or it has been used.");

    public static readonly Refusal ChallengeEnded =
        new(RefusalKind.Unauthenticated, "two_factor.challenge_ended", "This sign-in has ended. Start again with your password.");

    public static Refusal Locked(TimeSpan remaining) =>
        new(RefusalKind.TooMany, "two_factor.locked", "Too many wrong codes. Two-factor sign-in is locked for a while; your password is not.")
        {
            RetryAfter = remaining,
        };
}
