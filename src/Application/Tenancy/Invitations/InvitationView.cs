using Vtp.Domain.Tenancy.Invitations;
using Vtp.Domain.Tenancy.Members;

namespace Vtp.Application.Tenancy.Invitations;

/// <summary>An invitation, in whatever state; never its token.</summary>
public sealed record InvitationView(
    Guid Id,
    string Email,
    string Name,
    MemberRole Role,
    InvitationStatus Status,
    DateTimeOffset ExpiresAt,
    DateTimeOffset? AcceptedAt,
    DateTimeOffset? RevokedAt,
    Guid InvitedBy,
    DateTimeOffset CreatedAt)
{
    internal static InvitationView Of(Invitation invitation, DateTimeOffset now) => new(
        invitation.Id,
        invitation.Email.Value,
        invitation.Name,
        invitation.Role,
        invitation.StatusAt(now),
        invitation.ExpiresAt,
        invitation.AcceptedAt,
        invitation.RevokedAt,
        invitation.InvitedBy.Value,
        invitation.CreatedAt);
}
