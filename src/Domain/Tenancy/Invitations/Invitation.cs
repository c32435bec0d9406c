using System.Text.Json.Serialization;
using Vtp.Domain.Common;
using Vtp.Domain.Events;
using Vtp.Domain.Identity;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Domain.Tenancy.Invitations;

public enum InvitationStatus
{
    [JsonStringEnumMemberName("Pending")]
    Pending,

    [JsonStringEnumMemberName("Accepted")]
    Accepted,

    [JsonStringEnumMemberName("Expired")]
    Expired,

    [JsonStringEnumMemberName("Revoked")]
    Revoked,
}

/// <summary>
/// Asks the reader of one mailbox to join, for seven days. Its token is made by whoever sends the mail; only the hash is
/// here. At most one invitation of an address to an organization is open.
/// </summary>
public sealed class Invitation : Aggregate, IOfTenant
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(7);

    private Invitation(Guid id, OrganizationId organizationId, EmailAddress email, string name, MemberRole role, AccountId invitedBy, DateTimeOffset createdAt) =>
        (Id, OrganizationId, Email, Name, Role, InvitedBy, CreatedAt, ExpiresAt) =
        (id, organizationId, email, name, role, invitedBy, createdAt, createdAt + Lifetime);

    public Guid Id { get; private set; }

    public OrganizationId OrganizationId { get; private set; }

    public EmailAddress Email { get; private set; }

    public string Name { get; private set; }

    public MemberRole Role { get; private set; }

    /// <summary>Null until the mail is written, and again after a resend until the next one is.</summary>
    public byte[]? TokenHash { get; private set; }

    public AccountId InvitedBy { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public DateTimeOffset ExpiresAt { get; private set; }

    public DateTimeOffset? AcceptedAt { get; private set; }

    public DateTimeOffset? RevokedAt { get; private set; }

    /// <summary>Accepted, revoked, or expired and replaced by a newer one; until then it is the one open invitation of its address.</summary>
    public DateTimeOffset? ClosedAt { get; private set; }

    public static Invitation To(
        EmailAddress email, string name, MemberRole role, OrganizationId organizationId, AccountId invitedBy, DateTimeOffset now)
    {
        var invitation = new Invitation(Uuid.NewVersion7(now), organizationId, email, name.Trim(), role, invitedBy, now);
        invitation.Raise(new InvitationEvents.Created(invitation.Id, role, invitation.ExpiresAt));
        return invitation;
    }

    public override EventSource Source() => new(OrganizationId, Project: null, Id.ToString());

    public static InvitationStatus StatusOf(DateTimeOffset? acceptedAt, DateTimeOffset? revokedAt, DateTimeOffset expiresAt, DateTimeOffset now) =>
        acceptedAt is not null ? InvitationStatus.Accepted
        : revokedAt is not null ? InvitationStatus.Revoked
        : expiresAt <= now ? InvitationStatus.Expired
        : InvitationStatus.Pending;

    public InvitationStatus StatusAt(DateTimeOffset now) => StatusOf(AcceptedAt, RevokedAt, ExpiresAt, now);

    /// <summary>The token, for the mail alone.</summary>
    public string NewToken()
    {
        var token = OneTimeSecret.New();
        TokenHash = OneTimeSecret.Hash(token);
        return token;
    }

    /// <summary>Another seven days and another token: the one in the older mail is dead.</summary>
    public Refusal? Resend(DateTimeOffset now)
    {
        if (ClosedAt is not null)
        {
            return InvitationRefusals.Closed;
        }

        (ExpiresAt, TokenHash) = (now + Lifetime, null);
        return null;
    }

    public Refusal? Revoke(DateTimeOffset now)
    {
        if (ClosedAt is not null)
        {
            return InvitationRefusals.Closed;
        }

        (RevokedAt, ClosedAt, TokenHash) = (now, now, null);
        Raise(new InvitationEvents.Revoked(Id, Role));
        return null;
    }

    /// <summary>It ran out, and makes place for a newer one.</summary>
    public void Expire(DateTimeOffset now) => (ClosedAt, TokenHash) = (now, null);

    public Refusal? Accept(EmailAddress by, DateTimeOffset now)
    {
        switch (StatusAt(now))
        {
            case InvitationStatus.Expired:
                return InvitationRefusals.Expired;
            case not InvitationStatus.Pending:
                return InvitationRefusals.TokenRejected;
        }

        if (by != Email)
        {
            return InvitationRefusals.OtherAddress;
        }

        (AcceptedAt, ClosedAt, TokenHash) = (now, now, null);
        Raise(new InvitationEvents.Accepted(Id, Role));
        return null;
    }
}

public static class InvitationRefusals
{
    public static readonly Refusal NotFound =
        new(RefusalKind.NotFound, "invitation.not_found", "There is no such invitation.");

    public static readonly Refusal Pending =
        new(RefusalKind.Conflict, "invitation.pending", "This address has an open invitation. Resend or revoke that one.");

    public static readonly Refusal Closed =
        new(RefusalKind.Conflict, "invitation.closed", "This invitation was accepted, revoked or replaced.");

    public static readonly Refusal Expired =
        new(RefusalKind.Conflict, "invitation.expired", "This invitation has expired. Ask for it to be sent again.");

    public static readonly Refusal TokenRejected =
        new(RefusalKind.NotFound, "invitation.token_rejected", "This invitation was used, revoked or replaced by a newer one.");

    public static readonly Refusal OtherAddress =
        new(RefusalKind.Forbidden, "invitation.other_address", "This invitation is for another address. Sign in with the address that received it.");

    public static readonly Refusal TooMany =
        new(RefusalKind.Conflict, "invitation.too_many", "The organization has as many open invitations as it may.");
}
