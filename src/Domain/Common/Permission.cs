namespace Vtp.Domain.Common;

/// <summary>What a use case can demand of its caller.</summary>
public enum Permission
{
    /// <summary>Open to callers who have not signed in.</summary>
    Anyone,

    /// <summary>Any account, acting on what is its own.</summary>
    SignedIn,

    /// <summary>Other people's accounts and roles.</summary>
    ManageAccounts,

    /// <summary>The installation itself: signing keys, health details, statistics.</summary>
    Operate,

    /// <summary>Any member of the organization: its name, its people, its projects.</summary>
    ViewOrganization,

    /// <summary>What the organization pays for.</summary>
    ManageBilling,

    /// <summary>The organization's own settings, its whole archive included.</summary>
    ManageOrganization,

    /// <summary>Deleting the organization, and undoing that.</summary>
    DeleteOrganization,

    /// <summary>Who is a member and in which role.</summary>
    ManageTeam,

    /// <summary>Where events are sent.</summary>
    ManageWebhooks,

    /// <summary>Projects and their settings.</summary>
    ManageProjects,

    /// <summary>The credentials of programs.</summary>
    ManageApiKeys,

    /// <summary>The trail of who did what.</summary>
    ViewAuditLogs,

    /// <summary>What was used.</summary>
    ViewUsage,

    /// <summary>The live dashboard: of the installation, or of an organization.</summary>
    ViewDashboard,

    /// <summary>Which files and peers a project's swarms have.</summary>
    ReadSwarms,

    /// <summary>Being a peer in them.</summary>
    ShareFiles,

    /// <summary>Removing peers and files from them.</summary>
    ManageSwarms,
}
