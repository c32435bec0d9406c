using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tracker;

namespace Vtp.Unit.Tenancy;

public sealed class MemberPermissionTests
{
    /// <summary>The matrix once more, as people read it: O, A, D, V.</summary>
    [Theory]
    [InlineData(Permission.ManageBilling, "O---")]
    [InlineData(Permission.ManageOrganization, "O---")]
    [InlineData(Permission.DeleteOrganization, "O---")]
    [InlineData(Permission.ManageTeam, "OA--")]
    [InlineData(Permission.ManageWebhooks, "OA--")]
    [InlineData(Permission.ManageProjects, "OAD-")]
    [InlineData(Permission.ManageApiKeys, "OAD-")]
    [InlineData(Permission.ViewOrganization, "OADV")]
    [InlineData(Permission.ViewAuditLogs, "OADV")]
    [InlineData(Permission.ViewUsage, "OADV")]
    [InlineData(Permission.ViewDashboard, "OA--")]
    public void The_matrix_is_this(Permission permission, string roles) =>
        Enum.GetValues<MemberRole>().Where(role => role.Holds(permission)).Select(role => role.ToString()[0])
            .Should().Equal(roles.Where(letter => letter != '-'));

    [Fact]
    public void Every_permission_is_of_the_installation_of_an_organization_or_of_the_tracker()
    {
        foreach (var permission in Enum.GetValues<Permission>())
        {
            // The installation has a dashboard, and so does each organization.
            new[] { permission.IsOfOrganization(), permission.IsOfTracker(), Role.Admin.Holds(permission) }.Count(isIt => isIt)
                .Should().Be(permission == Permission.ViewDashboard ? 2 : 1, permission.ToString());
        }
    }
}
