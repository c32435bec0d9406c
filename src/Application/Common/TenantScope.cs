using Vtp.Application.Tracker;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Common;

/// <summary>
/// Whose rows this request may see. It begins empty, which shows nothing; the Authorization behaviour opens it as far as
/// the caller's credential reaches, and both EF Core's filters and PostgreSQL's policies read it.
/// </summary>
public sealed class TenantScope
{
    /// <summary>The organizations in view, as EF Core's filters take them.</summary>
    public OrganizationId[] Organizations { get; private set; } = [];

    /// <summary>The one project in view, when the request is about one or comes from its key.</summary>
    public ProjectId? Project { get; private set; }

    /// <summary>The server's own work, which crosses organizations: policies let it see all, filters must be lifted by name.</summary>
    public bool IsSystem { get; private set; }

    /// <summary>What the caller is in the one organization in view; null for a key, and beside the one that a person entered.</summary>
    public MemberRole? Role { get; private set; }

    /// <summary>For how long what is written to the trail now is kept.</summary>
    public int AuditRetentionDays { get; private set; } = Vtp.Domain.Tenancy.Organizations.Organization.DefaultAuditRetentionDays;

    /// <summary>What the caller is to the swarms of the project in view, once a use case of the tracker has let them in.</summary>
    public TrackerCaller? Tracker { get; set; }

    /// <summary>Null while none, or more than one, is in view.</summary>
    public OrganizationId? Organization => Organizations is [var only] ? only : null;

    public bool IsEmpty => Organizations.Length == 0 && !IsSystem;

    public void Enter(OrganizationId organization, ProjectId? project, int auditRetentionDays, MemberRole? role = null) =>
        (Organizations, Project, AuditRetentionDays, Role, IsSystem) = ([organization], project, auditRetentionDays, role, false);

    public void Enter(OrganizationId[] organizations) => (Organizations, Project, Role, IsSystem) = (organizations, null, null, false);

    public void EnterSystem() => (Organizations, Project, Role, IsSystem) = ([], null, null, true);

    /// <summary>Work on behalf of another request sees what that one may see.</summary>
    public void Follow(TenantScope other) =>
        (Organizations, Project, AuditRetentionDays, Role, IsSystem) = (other.Organizations, other.Project, other.AuditRetentionDays, other.Role, other.IsSystem);

    /// <summary>A request that turns out to be about one project of the organization that it has entered.</summary>
    public void Narrow(ProjectId project) => Project = project;
}
