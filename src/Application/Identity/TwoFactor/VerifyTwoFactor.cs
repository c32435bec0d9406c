using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Identity.Sessions;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.TwoFactor;

namespace Vtp.Application.Identity.TwoFactor;

/// <summary>Second factor: turns a challenge and a code into a session. Five wrong codes end the challenge.</summary>
/// <param name="ChallengeToken">From the sign-in that answered <c>requires_2fa</c>.</param>
/// <param name="Code">Six digits from the app, or a backup code. Either works once.</param>
[Requires(Permission.Anyone)]
[RateLimited(RateLimitPolicies.TwoFactor)]
[Audited(AuditActions.TwoFactorVerified)]
public sealed record VerifyTwoFactorCommand(string? ChallengeToken, string? Code) : ICommand<TwoFactorVerified>;

/// <summary>The sign-in is complete.</summary>
/// <param name="Verified">Always true.</param>
/// <param name="ExpiresIn">Seconds until the access token expires.</param>
public sealed record TwoFactorVerified(
    bool Verified, string AccessToken, string RefreshToken, int ExpiresIn, string TokenType, UserView User);

internal sealed class VerifyTwoFactorValidator : AbstractValidator<VerifyTwoFactorCommand>
{
    public VerifyTwoFactorValidator()
    {
        RuleFor(command => command.ChallengeToken).IsOneTimeSecret();
        RuleFor(command => command.Code).IsSecondFactorCode();
    }
}

internal sealed class VerifyTwoFactorHandler(
    IVtpDb db, SecondFactorGate gate, SessionStarter sessions, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<VerifyTwoFactorCommand, Result<TwoFactorVerified>>
{
    public async Task<Result<TwoFactorVerified>> Handle(VerifyTwoFactorCommand request, CancellationToken cancellationToken)
    {
        var hash = OneTimeSecret.Hash(request.ChallengeToken!);
        var accountId = await db.SignInChallenges.Where(open => open.TokenHash == hash).Select(open => open.AccountId).SingleOrDefaultAsync(cancellationToken);
        await db.BeginAsync(cancellationToken);
        var factor = await gate.LockAsync(accountId, cancellationToken);
        var challenge = await db.SignInChallenges.SingleOrDefaultAsync(open => open.TokenHash == hash, cancellationToken);
        if (challenge is null || !challenge.IsOpen(clock.GetUtcNow()))
        {
            return TwoFactorRefusals.ChallengeEnded;
        }

        audit.TargetId = accountId.Value;
        if (!(await gate.CheckAsync(factor, request.Code!, cancellationToken)).TryGet(out _, out var refusal))
        {
            if (!challenge.CountFailure())
            {
                db.SignInChallenges.Remove(challenge);
                refusal = refusal == TwoFactorRefusals.CodeRejected ? TwoFactorRefusals.ChallengeEnded : refusal;
            }

            await db.SaveUnauditedAsync(cancellationToken);
            return refusal;
        }

        var account = await db.Accounts.SingleAsync(account => account.Id == accountId, cancellationToken);
        if (account.IsDisabled)
        {
            return AccountRefusals.Disabled;
        }

        db.SignInChallenges.Remove(challenge);
        var signedIn = sessions.Start(account, twoFactorEnabled: true, challenge.FirstMethod, "otp", "mfa");
        await db.SaveChangesAsync(cancellationToken);
        return new TwoFactorVerified(
            true, signedIn.AccessToken, signedIn.RefreshToken, signedIn.ExpiresIn, signedIn.TokenType, signedIn.User);
    }
}
