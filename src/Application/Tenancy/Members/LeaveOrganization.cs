using MediatR;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
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
        if (await db.RemoveMemberAsync(new OrganizationId(request.Id), caller.Required().AccountId.Value, caller, audit, cancellationToken) is { } refusal)
        {
            return refusal;
        }

        return new Message("You are no member any more.");
    }
}
