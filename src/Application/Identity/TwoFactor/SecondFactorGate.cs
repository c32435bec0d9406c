using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Identity.SecurityEvents;
using Vtp.Application.Identity.Sessions;
using Vtp.Domain.Common;
using Vtp.Domain.Identity;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.SecurityEvents;
using Vtp.Domain.Identity.TwoFactor;

namespace Vtp.Application.Identity.TwoFactor;

/// <summary>What stands between a first factor that was right and a session.</summary>
internal sealed class SecondFactorGate(IVtpDb db, SessionStarter sessions, ICaller caller, TimeProvider clock)
{
    /// <summary>A session where no second factor is on, or its code came along; else a challenge. Saves.</summary>
    public async Task<Result<SignInAnswer>> PassAsync(Account account, string method, string? code, CancellationToken cancellationToken)
    {
        if (account.IsDisabled)
        {
            return AccountRefusals.Disabled;
        }

        var isOn = await db.SecondFactors.AnyAsync(factor => factor.AccountId == account.Id && factor.EnabledAt != null, cancellationToken);
        if (!isOn)
        {
            var signedIn = sessions.Start(account, twoFactorEnabled: false, method);
            await db.SaveChangesAsync(cancellationToken);
            return SignInAnswer.Of(signedIn);
        }

        if (code is null)
        {
            var token = OneTimeSecret.New();
            db.SignInChallenges.Add(SignInChallenge.For(account.Id, method, token, clock.GetUtcNow()));
            await db.SaveUnauditedAsync(cancellationToken);
            return SignInAnswer.CodeNeeded(token, SignInChallenge.Lifetime);
        }

        await db.BeginAsync(cancellationToken);
        var factor = await LockAsync(account.Id, cancellationToken);
        if (!(await CheckAsync(factor, code, cancellationToken)).TryGet(out _, out var refusal))
        {
            await db.SaveUnauditedAsync(cancellationToken);
            return refusal;
        }

        var session = sessions.Start(account, twoFactorEnabled: true, method, "otp", "mfa");
        await db.SaveChangesAsync(cancellationToken);
        return SignInAnswer.Of(session);
    }

    /// <summary>
    /// Locks the account's second factor until the handler saves; call <see cref="IVtpDb.BeginAsync"/> before. Whatever
    /// changes a challenge or a code holds this lock, and takes no other one first.
    /// </summary>
    public Task<SecondFactor?> LockAsync(AccountId accountId, CancellationToken cancellationToken) =>
        db.SecondFactors.ForUpdate().SingleOrDefaultAsync(factor => factor.AccountId == accountId, cancellationToken);

    /// <summary>Checks a code under that lock. Save in either case, for failures count too.</summary>
    public async Task<Result<Done>> CheckAsync(SecondFactor? factor, string code, CancellationToken cancellationToken)
    {
        if (factor is not { IsOn: true })
        {
            return TwoFactorRefusals.NotOn;
        }

        var now = clock.GetUtcNow();
        var (codesBefore, wasLocked) = (factor.BackupCodeHashes.Length, factor.LockedUntil > now);
        if (factor.Verify(code, now).TryGet(out var done, out var refusal))
        {
            if (factor.BackupCodeHashes.Length < codesBefore)
            {
                db.Record(factor.AccountId, SecurityEventType.BackupCodeUsed, caller, now);
            }

            return done;
        }

        if (wasLocked)
        {
            return refusal;
        }

        var isLocked = factor.LockedUntil > now;
        if (isLocked)
        {
            // Whoever was guessing must start again from the password once the lock is over.
            db.SignInChallenges.RemoveRange(await db.SignInChallenges.Where(open => open.AccountId == factor.AccountId).ToListAsync(cancellationToken));
        }

        db.Record(factor.AccountId, isLocked ? SecurityEventType.SecondFactorLocked : SecurityEventType.SecondFactorFailed, caller, now);
        return refusal;
    }
}
