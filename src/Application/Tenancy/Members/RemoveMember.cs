using MediatR;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Members;

/// <summary>Takes a member out, from the next request on. Anybody may leave by themselves; the last owner stays.</summary>
/// <param name="UserId">Of the membership or of the account.</param>
[Requires(Permission.ViewOrganization)]
[Audited(AuditActions.TeamMemberRemoved)]
public sealed record RemoveMemberCommand(Guid Id, Guid UserId) : ICommand<Message>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => new(Id);
}

internal sealed class RemoveMemberHandler(IVtpDb db, IMemberships memberships, ICaller caller, AuditSubject audit)
    : IRequestHandler<RemoveMemberCommand, Result<Message>>
{
    public async Task<Result<Message>> Handle(RemoveMemberCommand request, CancellationToken cancellationToken)
    {
        var (id, account) = (new OrganizationId(request.Id), caller.Required().AccountId);
        await db.BeginAsync(cancellationToken);
        if (!(await db.LockMemberAsync(id, request.UserId, caller, cancellationToken)).TryGet(out var member, out var refusal))
        {
            return refusal;
        }

        audit.TargetId = member.Id;
        if (member.AccountId != account && !await MayManageTeamAsync(account, id, cancellationToken))
        {
            return Refusal.Forbidden;
        }

        if (member.Role == MemberRole.Owner && await db.IsLastOwnerAsync(id, cancellationToken))
        {
            return MemberRefusals.LastOwner;
        }

        db.Members.Remove(member);
        await db.SaveChangesAsync(cancellationToken);
        return new Message("Member removed.");
    }

    private async Task<bool> MayManageTeamAsync(AccountId account, OrganizationId organization, CancellationToken cancellationToken) =>
        (await memberships.FindAsync(account, organization, cancellationToken))?.Role.Holds(Permission.ManageTeam) == true;
}
