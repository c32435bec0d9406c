using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Identity.Accounts;
using Vtp.Application.Identity.SecurityEvents;
using Vtp.Application.Identity.TwoFactor;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.SecurityEvents;

namespace Vtp.Application.Identity.Sessions;

/// <summary>
/// First factor, and with <paramref name="Code"/> both at once. Where two-factor sign-in is on and no code was sent,
/// the answer is a challenge for <c>/auth/2fa/verify</c>. A wrong address and a wrong password look alike, by body and by time.
/// </summary>
/// <param name="Code">Six digits from the app, or a backup code.</param>
[Requires(Permission.Anyone)]
[RateLimited(RateLimitPolicies.SignInAddress)]
[RateLimited(RateLimitPolicies.SignIn)]
[Audited(AuditActions.SessionStarted)]
public sealed record SignInCommand(string? Email, string? Password, string? Code) : ICommand<SignInAnswer>, IRateLimitTarget
{
    string? IRateLimitTarget.RateLimitTarget => Email?.Trim().ToLowerInvariant();
}

internal sealed class SignInValidator : AbstractValidator<SignInCommand>
{
    public SignInValidator()
    {
        RuleFor(command => command.Email).NotEmpty().WithMessage("Enter your mail address.")
            .MaximumLength(EmailAddress.MaximumLength).WithMessage("That is too long for a mail address.");
        RuleFor(command => command.Password).IsPassword();
        RuleFor(command => command.Code).IsSecondFactorCode().When(command => command.Code is not null);
    }
}

internal sealed class SignInHandler(
    IVtpDb db, IPasswordHasher passwords, SecondFactorGate gate, ICaller caller, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<SignInCommand, Result<SignInAnswer>>
{
    public async Task<Result<SignInAnswer>> Handle(SignInCommand request, CancellationToken cancellationToken)
    {
        if (await passwords.EnterAsync(cancellationToken) is { } full)
        {
            return full;
        }

        var claims = EmailAddress.TryParse(request.Email, out var email)
            ? await db.Accounts.WithEmail(email).ToListAsync(cancellationToken)
            : [];
        var hashes = claims.ConvertAll(claim => claim.PasswordHash);
        if (!(await passwords.FindAsync(request.Password!, hashes, cancellationToken)).TryGet(out var match, out var busy))
        {
            return busy;
        }

        if (match.Index < 0)
        {
            if (claims.Find(claim => claim.OwnsEmail) is { } owner)
            {
                audit.TargetId = owner.Id.Value;
                db.Record(owner.Id, SecurityEventType.SignInFailed, caller, clock.GetUtcNow());
                await db.SaveUnauditedAsync(cancellationToken);
            }

            return AccountRefusals.CredentialsRejected;
        }

        var account = claims[match.Index];
        audit.TargetId = account.Id.Value;
        if (match.Upgraded is { } upgraded)
        {
            account.UpgradePasswordHash(upgraded);
        }

        return await gate.PassAsync(account, "pwd", request.Code, cancellationToken);
    }
}
