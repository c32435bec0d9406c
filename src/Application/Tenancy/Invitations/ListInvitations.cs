using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Invitations;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Invitations;

/// <summary>The organization's invitations in every state, newest first.</summary>
/// <param name="Limit">1 to 100; 20 when absent.</param>
[Requires(Permission.ViewOrganization)]
public sealed record ListInvitationsQuery(Guid Id, InvitationStatus? Status, int? Page, int? Limit) : IQuery<Page<InvitationView>>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => new(Id);
}

internal sealed class ListInvitationsHandler(IVtpDb db, TimeProvider clock) : IRequestHandler<ListInvitationsQuery, Result<Page<InvitationView>>>
{
    public async Task<Result<Page<InvitationView>>> Handle(ListInvitationsQuery request, CancellationToken cancellationToken)
    {
        var (id, now) = (new OrganizationId(request.Id), clock.GetUtcNow());
        var invitations = db.Invitations.AsNoTracking().Where(invitation => invitation.OrganizationId == id);
        invitations = request.Status switch
        {
            InvitationStatus.Accepted => invitations.Where(invitation => invitation.AcceptedAt != null),
            InvitationStatus.Revoked => invitations.Where(invitation => invitation.RevokedAt != null),
            InvitationStatus.Expired => invitations.Where(invitation => invitation.AcceptedAt == null && invitation.RevokedAt == null && invitation.ExpiresAt <= now),
            InvitationStatus.Pending => invitations.Where(invitation => invitation.ClosedAt == null && invitation.ExpiresAt > now),
            _ => invitations,
        };
        return await invitations.OrderByDescending(invitation => invitation.Id)
            .Select(invitation => InvitationView.Of(invitation, now))
            .ToPageAsync(request.Page, request.Limit, cancellationToken);
    }
}
