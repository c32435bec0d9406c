using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Identity.Accounts;
using Vtp.Application.Identity.TwoFactor;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;

namespace Vtp.Application.Identity.Sessions;

/// <summary>A mailed code in place of the password: ten minutes, five tries, once. A second factor that is on is still asked for.</summary>
/// <param name="Code">The six digits from the mail.</param>
[Requires(Permission.Anyone)]
[RateLimited(RateLimitPolicies.SignInAddress)]
[RateLimited(RateLimitPolicies.SignIn)]
[Audited(AuditActions.SessionStartedByEmailCode)]
public sealed record SignInWithEmailCodeCommand(string? Email, string? Code) : ICommand<SignInAnswer>, IRateLimitTarget
{
    string? IRateLimitTarget.RateLimitTarget => Email?.Trim().ToLowerInvariant();
}

internal sealed class SignInWithEmailCodeValidator : AbstractValidator<SignInWithEmailCodeCommand>
{
    public SignInWithEmailCodeValidator()
    {
        RuleFor(command => command.Email).IsEmailAddress();
        RuleFor(command => command.Code).IsSixDigits();
    }
}

internal sealed class SignInWithEmailCodeHandler(IVtpDb db, SecondFactorGate gate, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<SignInWithEmailCodeCommand, Result<SignInAnswer>>
{
    public async Task<Result<SignInAnswer>> Handle(SignInWithEmailCodeCommand request, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var account = await db.Accounts.WithEmail(EmailAddress.Parse(request.Email!)).FirstOrDefaultAsync(cancellationToken);
        audit.TargetId = account?.Id.Value;

        // An address without an account takes the same steps as one whose code is used up, so that both take the same time.
        var accountId = account?.Id ?? default;
        var isAwaited = await db.EmailCodes.AnyAsync(
            code => code.AccountId == accountId && code.ExpiresAt > now && code.Attempts < EmailCode.MaximumAttempts, cancellationToken);
        if (account is null || !isAwaited)
        {
            return EmailCodeRefusals.CodeRejected;
        }

        await db.BeginAsync(cancellationToken);
        var code = await db.EmailCodes.ForUpdate().SingleOrDefaultAsync(code => code.AccountId == accountId, cancellationToken);
        if (code is null || !code.Accept(request.Code!, now))
        {
            await db.SaveUnauditedAsync(cancellationToken);
            return EmailCodeRefusals.CodeRejected;
        }

        db.EmailCodes.Remove(code);
        await db.MailboxProvedAsync(account, now, cancellationToken);
        await db.SaveUnauditedAsync(cancellationToken);
        return await gate.PassAsync(account, "otp", code: null, cancellationToken);
    }
}
