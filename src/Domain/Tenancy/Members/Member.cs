using System.Text.Json.Serialization;
using Vtp.Domain.Common;
using Vtp.Domain.Events;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Domain.Tenancy.Members;

public enum MemberStatus
{
    [JsonStringEnumMemberName("Active")]
    Active,

    /// <summary>The account is disabled.</summary>
    [JsonStringEnumMemberName("Inactive")]
    Inactive,
}

/// <summary>One account's part in one organization.</summary>
public sealed class Member : Aggregate, IOfTenant
{
    private Member(Guid id, OrganizationId organizationId, AccountId accountId, MemberRole role, DateTimeOffset joinedAt) =>
        (Id, OrganizationId, AccountId, Role, JoinedAt, InvitedAt) = (id, organizationId, accountId, role, joinedAt, joinedAt);

    public Guid Id { get; private set; }

    public OrganizationId OrganizationId { get; private set; }

    public AccountId AccountId { get; private set; }

    public MemberRole Role { get; private set; }

    public DateTimeOffset InvitedAt { get; private set; }

    public DateTimeOffset JoinedAt { get; private set; }

    public static Member Founder(OrganizationId organizationId, AccountId accountId, DateTimeOffset now) =>
        Join(organizationId, accountId, MemberRole.Owner, invitedAt: now, now);

    public static Member Invited(OrganizationId organizationId, AccountId accountId, MemberRole role, DateTimeOffset invitedAt, DateTimeOffset now) =>
        Join(organizationId, accountId, role, invitedAt, now);

    public override EventSource Source() => new(OrganizationId, Project: null, Id.ToString());

    public void ChangeRole(MemberRole role)
    {
        if (role != Role)
        {
            Raise(new MemberEvents.RoleChanged(Id, AccountId.Value, role, Role));
            Role = role;
        }
    }

    /// <summary>Says it; whoever says it deletes the row.</summary>
    public void Leave() => Raise(new MemberEvents.Removed(Id, AccountId.Value, Role));

    private static Member Join(OrganizationId organizationId, AccountId accountId, MemberRole role, DateTimeOffset invitedAt, DateTimeOffset now)
    {
        var member = new Member(Uuid.NewVersion7(now), organizationId, accountId, role, now) { InvitedAt = invitedAt };
        member.Raise(new MemberEvents.Joined(member.Id, accountId.Value, role));
        return member;
    }
}

public static class MemberRefusals
{
    public static readonly Refusal NotFound =
        new(RefusalKind.NotFound, "member.not_found", "There is no such member.");

    public static readonly Refusal LastOwner =
        new(RefusalKind.Conflict, "member.last_owner", "This is the organization's last owner; appoint another one first.");

    public static readonly Refusal OwnersOnly =
        new(RefusalKind.Forbidden, "member.owners_only", "Only an owner appoints, demotes or removes owners.");

    public static readonly Refusal AlreadyMember =
        new(RefusalKind.Conflict, "member.exists", "This person is a member already.");
}
