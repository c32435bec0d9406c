namespace Vtp.Domain.Identity.Accounts;

/// <summary>What a person is to the whole installation. What they may do inside a school is their membership's business.</summary>
public enum Role
{
    Student,
    Teacher,
    Admin,
}

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
}

/// <summary>Which role holds which permission: the one place where that is written.</summary>
public static class RolePermissions
{
    public static bool Holds(this Role role, Permission permission) => permission switch
    {
        Permission.Anyone or Permission.SignedIn => true,
        Permission.ManageAccounts or Permission.Operate => role is Role.Admin,
        _ => false,
    };
}
