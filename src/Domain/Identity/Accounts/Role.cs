using Vtp.Domain.Common;

namespace Vtp.Domain.Identity.Accounts;

/// <summary>What a person is to the whole installation. What they may do inside a school is their membership's business.</summary>
public enum Role
{
    Student,
    Teacher,
    Admin,
}

/// <summary>
/// Which role of the installation holds which permission. What a member may do inside an organization stands in
/// <see cref="Tenancy.Members.MemberPermissions"/>; an administrator of the installation has no part in that.
/// </summary>
public static class RolePermissions
{
    public static bool Holds(this Role role, Permission permission) => permission switch
    {
        Permission.Anyone or Permission.SignedIn => true,
        Permission.ManageAccounts or Permission.Operate or Permission.ViewDashboard => role is Role.Admin,
        _ => false,
    };
}
