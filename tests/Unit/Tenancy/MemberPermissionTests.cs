using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Tenancy.Members;

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
    public void The_matrix_is_this(Permission permission, string roles) =>
        Enum.GetValues<MemberRole>().Where(role => role.Holds(permission)).Select(role => role.ToString()[0])
            .Should().Equal(roles.Where(letter => letter != '-'));

    [Fact]
    public void Every_permission_is_either_of_the_installation_or_of_an_organization()
    {
        foreach (var permission in Enum.GetValues<Permission>())
        {
            permission.IsOfOrganization().Should().Be(!Role.Admin.Holds(permission), permission.ToString());
        }
    }
}
