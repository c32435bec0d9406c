using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Identity.SecurityEvents;
using Vtp.Application.Identity.Sessions;
using Vtp.Application.Notifications;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.SecurityEvents;
using Vtp.Domain.Identity.Sessions;
using Vtp.Domain.Notifications;

namespace Vtp.Application.Identity.Accounts;

/// <summary>A new password for the caller. Their other sessions end, and so does every reset link.</summary>
/// <param name="NewPassword">8 to 128 characters, not on the list of common ones, not made of the person's own name.</param>
[Requires(Permission.SignedIn)]
[RateLimited(RateLimitPolicies.Password)]
[Audited(AuditActions.AccountPasswordChanged)]
public sealed record ChangePasswordCommand(string? CurrentPassword, string? NewPassword) : ICommand<Message>;

internal sealed class ChangePasswordValidator : AbstractValidator<ChangePasswordCommand>
{
    public ChangePasswordValidator()
    {
        RuleFor(command => command.CurrentPassword).IsPassword();
        RuleFor(command => command.NewPassword).IsPassword()
            .NotEqual(command => command.CurrentPassword).WithMessage("The new password must differ from the current one.");
    }
}

internal sealed class ChangePasswordHandler(
    IVtpDb db, IPasswordHasher passwords, PasswordPolicy policy, ICaller caller, TimeProvider clock)
    : IRequestHandler<ChangePasswordCommand, Result<Message>>
{
    public async Task<Result<Message>> Handle(ChangePasswordCommand request, CancellationToken cancellationToken)
    {
        var signedIn = caller.Required();
        var account = await db.Accounts.SingleAsync(account => account.Id == signedIn.AccountId, cancellationToken);
        if (!(await passwords.FindAsync(request.CurrentPassword!, [account.PasswordHash], cancellationToken)).TryGet(out var match, out var busy))
        {
            return busy;
        }

        if (match.Index < 0)
        {
            return AccountRefusals.PasswordRejected;
        }

        if (policy.Check(request.NewPassword!, account.FullName, account.Email, "new_password") is { } weak)
        {
            return weak;
        }

        if (!(await passwords.HashAsync(request.NewPassword!, account.PasswordHash, cancellationToken)).TryGet(out var hash, out busy))
        {
            return busy;
        }

        var now = clock.GetUtcNow();
        account.ChangePassword(hash, now);
        await db.PasswordChangedAsync(account, keep: signedIn.SessionId, SecurityEventType.PasswordChanged, caller, now, cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        return new Message("Your password is changed. Other devices are signed out.");
    }
}

internal static class PasswordChange
{
    /// <summary>What follows from a new password, however it came about: old sessions and reset links end, and the owner is told.</summary>
    public static async Task PasswordChangedAsync(
        this IVtpDb db, Account account, SessionId? keep, SecurityEventType what, ICaller caller, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await db.EndSessionsAsync(account.Id, except: keep, SessionEnd.PasswordChanged, now, cancellationToken);
        db.PasswordResetTokens.RemoveRange(await db.PasswordResetTokens.Where(token => token.AccountId == account.Id).ToListAsync(cancellationToken));
        db.SignInChallenges.RemoveRange(await db.SignInChallenges.Where(open => open.AccountId == account.Id).ToListAsync(cancellationToken));
        db.Record(account.Id, what, caller, now);
        db.Send(OutgoingEmail.To(account.Email, EmailKind.PasswordChanged, account.Id, caller.IpAddress, caller.UserAgent, now));
    }
}
