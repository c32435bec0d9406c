using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;

namespace Vtp.Domain.Tracker;

/// <summary>Which role of the tracker may do what.</summary>
public static class TrackerPermissions
{
    /// <summary>Whether this permission is about the swarms of one project.</summary>
    public static bool IsOfTracker(this Permission permission) =>
        permission is Permission.ReadSwarms or Permission.ShareFiles or Permission.ManageSwarms;

    public static bool Holds(this TrackerRole role, Permission permission) => permission switch
    {
        Permission.ReadSwarms => true,
        Permission.ShareFiles => role is TrackerRole.Admin or TrackerRole.Peer,
        Permission.ManageSwarms => role is TrackerRole.Admin,
        _ => false,
    };
}
