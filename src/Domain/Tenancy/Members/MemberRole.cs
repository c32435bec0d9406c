using System.Text.Json.Serialization;
using Vtp.Domain.Common;

namespace Vtp.Domain.Tenancy.Members;

/// <summary>What a person is inside one organization.</summary>
public enum MemberRole
{
    [JsonStringEnumMemberName("Owner")]
    Owner,

    [JsonStringEnumMemberName("Admin")]
    Admin,

    [JsonStringEnumMemberName("Developer")]
    Developer,

    [JsonStringEnumMemberName("Viewer")]
    Viewer,
}

/// <summary>Which member may do what: the one place where that is written.</summary>
public static class MemberPermissions
{
    private const MemberRole Owner = MemberRole.Owner;
    private const MemberRole Admin = MemberRole.Admin;
    private const MemberRole Developer = MemberRole.Developer;
    private const MemberRole Viewer = MemberRole.Viewer;

    public static readonly IReadOnlyDictionary<Permission, IReadOnlyList<MemberRole>> Matrix = new Dictionary<Permission, IReadOnlyList<MemberRole>>
    {
        [Permission.ManageBilling] = [Owner],
        [Permission.ManageOrganization] = [Owner],
        [Permission.DeleteOrganization] = [Owner],
        [Permission.ManageTeam] = [Owner, Admin],
        [Permission.ManageWebhooks] = [Owner, Admin],
        [Permission.ManageProjects] = [Owner, Admin, Developer],
        [Permission.ManageApiKeys] = [Owner, Admin, Developer],
        [Permission.ViewOrganization] = [Owner, Admin, Developer, Viewer],
        [Permission.ViewAuditLogs] = [Owner, Admin, Developer, Viewer],
        [Permission.ViewUsage] = [Owner, Admin, Developer, Viewer],
        [Permission.ViewDashboard] = [Owner, Admin],
    };

    /// <summary>Whether this permission is about one organization rather than the installation.</summary>
    public static bool IsOfOrganization(this Permission permission) => Matrix.ContainsKey(permission);

    public static bool Holds(this MemberRole role, Permission permission) => Matrix.TryGetValue(permission, out var roles) && roles.Contains(role);
}
