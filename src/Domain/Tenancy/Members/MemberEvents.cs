using Vtp.Domain.Events;

namespace Vtp.Domain.Tenancy.Members;

/// <summary>People are told of by their ids: who receives an event need not know their addresses.</summary>
public static class MemberEvents
{
    [Event("member.joined", "Somebody is a member now.")]
    public sealed record Joined(Guid Id, Guid AccountId, MemberRole Role);

    [Event("member.role_changed", "A member has another role.")]
    public sealed record RoleChanged(Guid Id, Guid AccountId, MemberRole Role, MemberRole PreviousRole);

    [Event("member.removed", "Somebody left or was removed.")]
    public sealed record Removed(Guid Id, Guid AccountId, MemberRole Role);
}
