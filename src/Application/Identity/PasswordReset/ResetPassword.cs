using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Identity.Accounts;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.PasswordReset;
using Vtp.Domain.Identity.SecurityEvents;

namespace Vtp.Application.Identity.PasswordReset;

/// <summary>Sets a new password by a mailed link. The link works once, and every session of the account ends.</summary>
/// <param name="NewPassword">8 to 128 characters, not on the list of common ones, not made of the person's own name.</param>
[Requires(Permission.Anyone)]
[RateLimited(RateLimitPolicies.OneTimeSecret)]
[Audited(AuditActions.PasswordResetCompleted)]
public sealed record ResetPasswordCommand(string? Token, [property: Alias("password")] string? NewPassword) : ICommand<Message>;

internal sealed class ResetPasswordValidator : AbstractValidator<ResetPasswordCommand>
{
    public ResetPasswordValidator()
    {
        RuleFor(command => command.Token).IsOneTimeSecret();
        RuleFor(command => command.NewPassword).IsPassword();
    }
}

internal sealed class ResetPasswordHandler(
    IVtpDb db, IPasswordHasher passwords, PasswordPolicy policy, ICaller caller, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<ResetPasswordCommand, Result<Message>>
{
    public async Task<Result<Message>> Handle(ResetPasswordCommand request, CancellationToken cancellationToken)
    {
        var (tokenHash, now) = (OneTimeSecret.Hash(request.Token!), clock.GetUtcNow());
        await db.BeginAsync(cancellationToken);
        var token = await db.PasswordResetTokens.ForUpdate().SingleOrDefaultAsync(token => token.TokenHash == tokenHash, cancellationToken);
        if (token is null || token.ExpiresAt <= now)
        {
            return PasswordResetRefusals.TokenRejected;
        }

        var account = await db.Accounts.SingleAsync(account => account.Id == token.AccountId, cancellationToken);
        audit.TargetId = account.Id.Value;
        if (policy.Check(request.NewPassword!, account.FullName, account.Email, "new_password") is { } weak)
        {
            return weak;
        }

        if (!(await passwords.HashAsync(request.NewPassword!, account.PasswordHash, cancellationToken)).TryGet(out var hash, out var busy))
        {
            return busy;
        }

        await db.MailboxProvedAsync(account, now, cancellationToken);
        account.ChangePassword(hash, now);
        await db.PasswordChangedAsync(account, keep: null, SecurityEventType.PasswordReset, caller, now, cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        return new Message("Your password is set. Sign in with it.");
    }
}
