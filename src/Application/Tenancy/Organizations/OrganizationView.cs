using Vtp.Application.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Organizations;

/// <summary>An organization, as its members see it.</summary>
/// <param name="Role">What the caller is in it.</param>
/// <param name="AuditRetentionDays">For how long entries of the trail that are written from now on are kept.</param>
/// <param name="DeletedAt">Set while an owner can still bring it back.</param>
public sealed record OrganizationView(
    Guid Id,
    string Name,
    string AdminEmail,
    Plan Plan,
    MemberRole Role,
    int AuditRetentionDays,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    DateTimeOffset? DeletedAt);

internal static class OrganizationQueries
{
    public static IQueryable<OrganizationView> AsViews(this IQueryable<Organization> organizations, IVtpDb db, AccountId caller) =>
        organizations.Select(organization => new OrganizationView(
            organization.Id.Value,
            organization.Name,
            organization.AdminEmail.Value,
            organization.Plan,
            db.Members.Where(member => member.OrganizationId == organization.Id && member.AccountId == caller).Select(member => member.Role).Single(),
            organization.AuditRetentionDays,
            organization.CreatedAt,
            organization.UpdatedAt,
            organization.DeletedAt));

    /// <summary>Of one organization, in which the caller is known to be this.</summary>
    public static IQueryable<OrganizationView> AsViews(this IQueryable<Organization> organizations, MemberRole role) =>
        organizations.Select(organization => new OrganizationView(
            organization.Id.Value,
            organization.Name,
            organization.AdminEmail.Value,
            organization.Plan,
            role,
            organization.AuditRetentionDays,
            organization.CreatedAt,
            organization.UpdatedAt,
            organization.DeletedAt));
}
