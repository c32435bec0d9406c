using Vtp.Application.Common;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Members;

/// <summary>A member.</summary>
/// <param name="Id">Of the membership.</param>
/// <param name="UserId">Of the account.</param>
/// <param name="Status">Inactive while the account is disabled.</param>
/// <param name="LastActiveAt">When one of the account's sessions was last used.</param>
public sealed record MemberView(
    Guid Id,
    Guid UserId,
    string Email,
    string Name,
    MemberRole Role,
    MemberStatus Status,
    DateTimeOffset InvitedAt,
    DateTimeOffset JoinedAt,
    DateTimeOffset? LastActiveAt,
    DateTimeOffset CreatedAt);

/// <param name="Message">For the person.</param>
public sealed record MemberChanged(string Message, MemberView Member);

internal static class MemberQueries
{
    /// <summary>A member by the id of the membership or of the account: clients hold either.</summary>
    public static IQueryable<Member> ById(this IQueryable<Member> members, OrganizationId organization, Guid id)
    {
        var account = new Domain.Identity.Accounts.AccountId(id);
        return members.Where(member => member.OrganizationId == organization && (member.Id == id || member.AccountId == account));
    }

    public static IQueryable<MemberView> AsViews(this IQueryable<Member> members, IVtpDb db) =>
        from member in members
        join account in db.Accounts on member.AccountId equals account.Id
        orderby member.Id descending
        select new MemberView(
            member.Id,
            member.AccountId.Value,
            account.Email.Value,
            account.FullName,
            member.Role,
            account.DisabledAt == null ? MemberStatus.Active : MemberStatus.Inactive,
            member.InvitedAt,
            member.JoinedAt,
            db.Sessions.Where(session => session.AccountId == member.AccountId).Max(session => (DateTimeOffset?)session.LastSeenAt),
            member.JoinedAt);
}
