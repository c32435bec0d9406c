using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Application.Tenancy.Members;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Tenancy.Invitations;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Invitations;

/// <summary>
/// Joins an organization by a mailed token, signed in with the address that received it. That the token came back proves
/// the address, so that it counts as verified from then on.
/// </summary>
[Requires(Permission.SignedIn)]
[RateLimited(RateLimitPolicies.OneTimeSecret)]
[Audited(AuditActions.TeamMemberAdded)]
public sealed record AcceptInvitationCommand(string? Token) : ICommand<MemberChanged>;

internal sealed class AcceptInvitationValidator : AbstractValidator<AcceptInvitationCommand>
{
    public AcceptInvitationValidator() => RuleFor(command => command.Token).IsOneTimeSecret();
}

internal sealed class AcceptInvitationHandler(
    IVtpDb db, TenantScope tenant, TenancyLimits limits, ICaller caller, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<AcceptInvitationCommand, Result<MemberChanged>>
{
    public async Task<Result<MemberChanged>> Handle(AcceptInvitationCommand request, CancellationToken cancellationToken)
    {
        var (hash, accountId, now) = (OneTimeSecret.Hash(request.Token!), caller.Required().AccountId, clock.GetUtcNow());
        await db.BeginAsync(cancellationToken);

        // The token is the credential for its organization; which one that is, only the row can tell.
        tenant.EnterSystem();
        var invitation = await db.Invitations.OfAllTenants().ForUpdate().SingleOrDefaultAsync(one => one.TokenHash == hash, cancellationToken);
        var organization = invitation is null ? null : await db.Organizations.OfAllTenants().ForUpdate()
            .SingleOrDefaultAsync(one => one.Id == invitation.OrganizationId, cancellationToken);
        if (invitation is null || organization is null)
        {
            return InvitationRefusals.TokenRejected;
        }

        tenant.Enter(organization.Id, project: null, organization.AuditRetentionDays);
        (audit.TargetId, audit.TargetName) = (invitation.Id, invitation.Email.Value);
        var account = await db.Accounts.SingleAsync(account => account.Id == accountId, cancellationToken);
        if (invitation.Accept(account.Email, now) is { } refusal)
        {
            return refusal;
        }

        if (await db.Accounts.AnyAsync(other => other.Email == account.Email && other.EmailVerifiedAt != null && other.Id != accountId, cancellationToken))
        {
            return AccountRefusals.AddressTaken;
        }

        if (await db.Members.AnyAsync(one => one.OrganizationId == organization.Id && one.AccountId == accountId, cancellationToken))
        {
            return MemberRefusals.AlreadyMember;
        }

        if (await db.Members.CountAsync(one => one.OrganizationId == organization.Id, cancellationToken) >= limits.SeatsOf(organization.Plan))
        {
            return OrganizationRefusals.SeatsTaken;
        }

        account.ProveMailbox(now);
        var member = Member.Invited(organization.Id, accountId, invitation.Role, invitation.CreatedAt, now);
        db.Members.Add(member);
        audit.TargetId = member.Id;
        await db.SaveChangesAsync(cancellationToken);
        return new MemberChanged(
            $"You are a member of {organization.Name}.",
            await db.Members.AsNoTracking().Where(one => one.Id == member.Id).AsViews(db).SingleAsync(cancellationToken));
    }
}
