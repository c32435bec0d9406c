using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tenancy;

/// <summary>A person's part in an organization, with what a request needs to know of it.</summary>
/// <param name="IsDeleted">The organization, or the project that was asked for, is deleted.</param>
public sealed record Membership(OrganizationId OrganizationId, MemberRole Role, int AuditRetentionDays, bool IsDeleted);

/// <summary>
/// Which organizations a person belongs to: asked by every request of a person about one, and never remembered, so that
/// a removed member is out at once.
/// </summary>
public interface IMemberships
{
    Task<IReadOnlyList<Membership>> OfAsync(AccountId account, CancellationToken cancellationToken);

    Task<Membership?> FindAsync(AccountId account, OrganizationId organization, CancellationToken cancellationToken);

    Task<Membership?> FindAsync(AccountId account, ProjectId project, CancellationToken cancellationToken);
}

/// <summary>How much of what an organization may have. Configuration: section Tenancy.</summary>
public sealed class TenancyLimits
{
    /// <summary>Members of a Free organization; likewise below.</summary>
    public int FreeSeats { get; set; } = 10;

    public int ProSeats { get; set; } = 100;

    public int EnterpriseSeats { get; set; } = 10_000;

    /// <summary>Organizations that one account may own.</summary>
    public int OrganizationsPerOwner { get; set; } = 100;

    public int ProjectsPerOrganization { get; set; } = 1000;

    public int KeysPerProject { get; set; } = 1000;

    public int OpenInvitations { get; set; } = 1000;

    public int SeatsOf(Plan plan) => plan switch
    {
        Plan.Free => FreeSeats,
        Plan.Pro => ProSeats,
        _ => EnterpriseSeats,
    };
}

/// <summary>The trail's partitions, one for each month until which entries are kept.</summary>
public interface IAuditPartitions
{
    /// <summary>Makes those that entries of this and the next two months need, when kept for so many days.</summary>
    Task PrepareAsync(int retentionDays, CancellationToken cancellationToken);
}
