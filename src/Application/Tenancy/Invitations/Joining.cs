using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Identity;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Tenancy.Invitations;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Invitations;

/// <summary>What both ways to accept have in common. The handler begins the transaction and saves.</summary>
internal sealed class Joining(IVtpDb db, TenantScope tenant, TenancyLimits limits, AuditSubject audit, TimeProvider clock)
{
    /// <summary>Finds the invitation of a token, locks it and its organization, and enters that one's scope: the token is the credential for it.</summary>
    public async Task<Result<(Invitation Invitation, Organization Organization)>> OpenAsync(string token, CancellationToken cancellationToken)
    {
        var hash = OneTimeSecret.Hash(token);
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
        return (invitation, organization);
    }

    public async Task<Result<Member>> JoinAsync(Invitation invitation, Organization organization, Account account, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (invitation.Accept(account.Email, now) is { } refusal)
        {
            return refusal;
        }

        if (await db.Accounts.AnyAsync(other => other.Email == account.Email && other.EmailVerifiedAt != null && other.Id != account.Id, cancellationToken))
        {
            return AccountRefusals.AddressTaken;
        }

        if (await db.Members.AnyAsync(one => one.OrganizationId == organization.Id && one.AccountId == account.Id, cancellationToken))
        {
            return MemberRefusals.AlreadyMember;
        }

        if (await db.Members.CountAsync(one => one.OrganizationId == organization.Id, cancellationToken) >= limits.SeatsOf(organization.Plan))
        {
            return OrganizationRefusals.SeatsTaken;
        }

        // The token came back from the mailbox that it was sent to.
        account.ProveMailbox(now);
        var member = Member.Invited(organization.Id, account.Id, invitation.Role, invitation.CreatedAt, now);
        db.Members.Add(member);
        audit.TargetId = member.Id;
        return member;
    }
}
