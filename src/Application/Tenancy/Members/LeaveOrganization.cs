using MediatR;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Members;

/// <summary>The caller is no member any more. The last owner stays.</summary>
[Requires(Permission.ViewOrganization)]
[Audited(AuditActions.TeamMemberLeft)]
public sealed record LeaveOrganizationCommand(Guid Id) : ICommand<Message>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => new(Id);
}

internal sealed class LeaveOrganizationHandler(IVtpDb db, ICaller caller, AuditSubject audit) : IRequestHandler<LeaveOrganizationCommand, Result<Message>>
{
    public async Task<Result<Message>> Handle(LeaveOrganizationCommand request, CancellationToken cancellationToken)
    {
        var id = new OrganizationId(request.Id);
        await db.BeginAsync(cancellationToken);
        if (!(await db.LockMemberAsync(id, caller.Required().AccountId.Value, caller, cancellationToken)).TryGet(out var member, out var refusal))
        {
            return refusal;
        }

        audit.TargetId = member.Id;
        if (member.Role == MemberRole.Owner && await db.IsLastOwnerAsync(id, cancellationToken))
        {
            return MemberRefusals.LastOwner;
        }

        member.Leave();
        db.Members.Remove(member);
        await db.SaveChangesAsync(cancellationToken);
        return new Message("You are no member any more.");
    }
}
