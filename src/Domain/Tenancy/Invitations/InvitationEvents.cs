using Vtp.Domain.Events;
using Vtp.Domain.Tenancy.Members;

namespace Vtp.Domain.Tenancy.Invitations;

public static class InvitationEvents
{
    [Event("invitation.created", "Somebody was asked by mail to join.")]
    public sealed record Created(Guid Id, MemberRole Role, DateTimeOffset ExpiresAt);

    [Event("invitation.accepted", "Who was asked has joined.")]
    public sealed record Accepted(Guid Id, MemberRole Role);

    [Event("invitation.revoked", "It was taken back before anybody joined by it.")]
    public sealed record Revoked(Guid Id, MemberRole Role);
}
