using Vtp.Application.Common;
using Vtp.Application.Tenancy;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Realtime.Dashboard;

/// <summary>
/// Which dashboard a caller means: administrators of the installation see its own, and everybody those of the organizations
/// that they manage. Being an administrator opens no organization's.
/// </summary>
internal sealed class DashboardAccess(ICaller caller, TenantScope tenant, IMemberships memberships)
{
    /// <param name="organization">As the caller named it.</param>
    public async ValueTask<Result<DashboardScope>> FindAsync(Guid? organization, CancellationToken cancellationToken)
    {
        var person = caller.Required();
        if (!person.Role.Holds(Permission.ViewDashboard))
        {
            return tenant.Organizations switch
            {
                [] => Refusal.Forbidden,
                [var only] => new DashboardScope(only),
                _ => DashboardRefusals.OrganizationNeeded,
            };
        }

        if (organization is not { } id)
        {
            return DashboardScope.Installation;
        }

        var membership = await memberships.FindAsync(person.AccountId, new OrganizationId(id), cancellationToken);
        return membership is { IsDeleted: false } && membership.Role.Holds(Permission.ViewDashboard)
            ? new DashboardScope(membership.OrganizationId)
            : OrganizationRefusals.NotFound;
    }
}
