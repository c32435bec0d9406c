using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Notifications;
using Vtp.Application.Tenancy.Members;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Notifications;
using Vtp.Domain.Tenancy.Invitations;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Invitations;

/// <summary>Sends an invitation again: seven more days, and a new token; the one in the older mail is dead. An expired one comes to life.</summary>
[Requires(Permission.ManageTeam)]
[Audited(AuditActions.InvitationResent)]
[Idempotent]
[RateLimited(RateLimitPolicies.InvitationResend)]
public sealed record ResendInvitationCommand(Guid Id, Guid InvitationId) : ICommand<MemberInvited>, IAboutOrganization, IRateLimitTarget
{
    OrganizationId? IAboutOrganization.Organization => new(Id);

    string? IRateLimitTarget.RateLimitTarget => InvitationId.ToString();
}

internal sealed class ResendInvitationHandler(IVtpDb db, Identity.ILinks links, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<ResendInvitationCommand, Result<MemberInvited>>
{
    public async Task<Result<MemberInvited>> Handle(ResendInvitationCommand request, CancellationToken cancellationToken)
    {
        var (organization, now) = (new OrganizationId(request.Id), clock.GetUtcNow());
        var invitation = await db.Invitations
            .SingleOrDefaultAsync(one => one.OrganizationId == organization && one.Id == request.InvitationId, cancellationToken);
        if (invitation is null)
        {
            return InvitationRefusals.NotFound;
        }

        (audit.TargetId, audit.TargetName) = (invitation.Id, invitation.Email.Value);
        if (invitation.Resend(now) is { } refusal)
        {
            return refusal;
        }

        db.Send(OutgoingEmail.About(invitation.Id, invitation.Email, EmailKind.Invitation, now));
        await db.SaveChangesAsync(cancellationToken);
        return new MemberInvited("Invitation sent again.", InvitationView.Of(invitation, now), links.Invitations);
    }
}
