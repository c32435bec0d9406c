using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Application.Identity.Accounts;
using Vtp.Application.Identity.SecurityEvents;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.SecurityEvents;
using Vtp.Domain.Tenancy.Invitations;

namespace Vtp.Application.Tenancy.Invitations;

/// <summary>
/// Joins without being signed in: who has an account gives its password, who has none chooses one and has an account
/// from then on, its address verified. Opens no session.
/// </summary>
/// <param name="Token">From the mail.</param>
/// <param name="Password">Of the account; for a new one 8 to 128 characters, not on the list of common ones.</param>
/// <param name="FullName">For a new account; the invitation's when absent.</param>
[Requires(Permission.Anyone)]
[RateLimited(RateLimitPolicies.OneTimeSecret)]
[Audited(AuditActions.InvitationJoined)]
[Idempotent]
public sealed record JoinByInvitationCommand(string? Token, string? Password, string? FullName) : ICommand<Message>;

internal sealed class JoinByInvitationValidator : AbstractValidator<JoinByInvitationCommand>
{
    public JoinByInvitationValidator()
    {
        RuleFor(command => command.Token).IsOneTimeSecret();
        RuleFor(command => command.FullName).IsFullName();
        RuleFor(command => command.Password).IsPassword();
    }
}

internal sealed class JoinByInvitationHandler(
    IVtpDb db, Joining joining, IPasswordHasher passwords, PasswordPolicy policy, ICaller caller, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<JoinByInvitationCommand, Result<Message>>
{
    public async Task<Result<Message>> Handle(JoinByInvitationCommand request, CancellationToken cancellationToken)
    {
        await db.BeginAsync(cancellationToken);
        if (!(await joining.OpenAsync(request.Token!, cancellationToken)).TryGet(out var open, out var unknown))
        {
            return unknown;
        }

        if (!(await FindOrRegisterAsync(open.Invitation, request, cancellationToken)).TryGet(out var account, out var rejected))
        {
            return rejected;
        }

        audit.ActorId = account.Id.Value;
        if (account.IsDisabled)
        {
            return AccountRefusals.Disabled;
        }

        if (!(await joining.JoinAsync(open.Invitation, open.Organization, account, cancellationToken)).TryGet(out _, out var refusal))
        {
            return refusal;
        }

        await db.SaveChangesAsync(cancellationToken);
        return new Message($"You are a member of {open.Organization.Name}. Sign in to begin.");
    }

    private async Task<Result<Account>> FindOrRegisterAsync(Invitation invitation, JoinByInvitationCommand request, CancellationToken cancellationToken)
    {
        var claims = await db.Accounts.WithEmail(invitation.Email).ToListAsync(cancellationToken);
        if (!(await passwords.FindAsync(request.Password!, [.. claims.Select(claim => claim.PasswordHash)], cancellationToken)).TryGet(out var match, out var busy))
        {
            return busy;
        }

        if (match.Index >= 0 && (match.Index == 0 || !claims[0].OwnsEmail))
        {
            return claims[match.Index];
        }

        if (claims is [{ OwnsEmail: true }, ..])
        {
            return AccountRefusals.PasswordRejected;
        }

        var name = string.IsNullOrWhiteSpace(request.FullName) ? invitation.Name : request.FullName;
        if (policy.Check(request.Password!, name, invitation.Email) is { } weak)
        {
            return weak;
        }

        if (!(await passwords.HashAsync(request.Password!, claims.FirstOrDefault()?.PasswordHash, cancellationToken)).TryGet(out var hash, out var full))
        {
            return full;
        }

        var account = Account.Register(invitation.Email, name, phone: null, Role.Student, hash, clock.GetUtcNow());
        db.Accounts.Add(account);
        db.Record(account.Id, SecurityEventType.Registered, caller, clock.GetUtcNow());
        return account;
    }
}
