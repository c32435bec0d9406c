using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Application.Tenancy.Members;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Tenancy.Invitations;

/// <summary>
/// Joins an organization by a mailed token, signed in with the address that received it. That the token came back proves
/// the address, so that it counts as verified from then on.
/// </summary>
[Requires(Permission.SignedIn)]
[RateLimited(RateLimitPolicies.OneTimeSecret)]
[Audited(AuditActions.TeamMemberAdded)]
[Idempotent]
public sealed record AcceptInvitationCommand(string? Token) : ICommand<MemberChanged>;

internal sealed class AcceptInvitationValidator : AbstractValidator<AcceptInvitationCommand>
{
    public AcceptInvitationValidator() => RuleFor(command => command.Token).IsOneTimeSecret();
}

internal sealed class AcceptInvitationHandler(IVtpDb db, Joining joining, ICaller caller)
    : IRequestHandler<AcceptInvitationCommand, Result<MemberChanged>>
{
    public async Task<Result<MemberChanged>> Handle(AcceptInvitationCommand request, CancellationToken cancellationToken)
    {
        await db.BeginAsync(cancellationToken);
        if (!(await joining.OpenAsync(request.Token!, cancellationToken)).TryGet(out var open, out var unknown))
        {
            return unknown;
        }

        var accountId = caller.Required().AccountId;
        var account = await db.Accounts.SingleAsync(account => account.Id == accountId, cancellationToken);
        if (!(await joining.JoinAsync(open.Invitation, open.Organization, account, cancellationToken)).TryGet(out var member, out var refusal))
        {
            return refusal;
        }

        await db.SaveChangesAsync(cancellationToken);
        return new MemberChanged(
            $"You are a member of {open.Organization.Name}.",
            await db.Members.AsNoTracking().Where(one => one.Id == member.Id).AsViews(db).SingleAsync(cancellationToken));
    }
}
