using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Invitations;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Invitations;

/// <summary>Takes an invitation back; its token is dead at once.</summary>
[Requires(Permission.ManageTeam)]
[Audited(AuditActions.InvitationRevoked)]
public sealed record RevokeInvitationCommand(Guid Id, Guid InvitationId) : ICommand<Message>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => new(Id);
}

internal sealed class RevokeInvitationHandler(IVtpDb db, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<RevokeInvitationCommand, Result<Message>>
{
    public async Task<Result<Message>> Handle(RevokeInvitationCommand request, CancellationToken cancellationToken)
    {
        var organization = new OrganizationId(request.Id);
        var invitation = await db.Invitations.ForUpdate() // It may be in the hands of whoever mails it.
            .SingleOrDefaultAsync(one => one.OrganizationId == organization && one.Id == request.InvitationId, cancellationToken);
        if (invitation is null)
        {
            return InvitationRefusals.NotFound;
        }

        (audit.TargetId, audit.TargetName) = (invitation.Id, invitation.Email.Value);
        if (invitation.Revoke(clock.GetUtcNow()) is { } refusal)
        {
            return refusal;
        }

        await db.SaveChangesAsync(cancellationToken);
        return new Message("Invitation revoked.");
    }
}
