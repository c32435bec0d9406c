using MediatR;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Members;

/// <summary>Takes a member out, from the next request on. Only owners remove owners; the last one stays.</summary>
/// <param name="UserId">Of the membership or of the account.</param>
[Requires(Permission.ManageTeam)]
[Audited(AuditActions.TeamMemberRemoved)]
public sealed record RemoveMemberCommand(Guid Id, Guid UserId) : ICommand<Message>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => new(Id);
}

internal sealed class RemoveMemberHandler(IVtpDb db, ICaller caller, AuditSubject audit) : IRequestHandler<RemoveMemberCommand, Result<Message>>
{
    public async Task<Result<Message>> Handle(RemoveMemberCommand request, CancellationToken cancellationToken)
    {
        if (await db.RemoveMemberAsync(new OrganizationId(request.Id), request.UserId, caller, audit, cancellationToken) is { } refusal)
        {
            return refusal;
        }

        return new Message("Member removed.");
    }
}
