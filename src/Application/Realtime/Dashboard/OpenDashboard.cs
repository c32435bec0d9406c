using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Realtime.Dashboard;

/// <summary>Which dashboard a connection may watch, and as what.</summary>
/// <param name="OrgId">The organization; absent for the installation's own, or for the only one that the caller manages.</param>
[Requires(Permission.ViewDashboard)]
public sealed record OpenDashboardQuery(Guid? OrgId) : IQuery<DashboardSeat>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => OrgId is { } id ? new(id) : null;
}

/// <param name="Role">As older clients know it: <c>admin</c> of the installation, <c>manager</c> of an organization.</param>
/// <param name="Permissions">Likewise.</param>
public sealed record DashboardSeat(DashboardScope Scope, string Role, IReadOnlyList<string> Permissions)
{
    private static readonly DashboardSeat OfInstallation = new(DashboardScope.Installation, "admin", ["analytics:read", "users:manage", "system:monitor"]);
    private static readonly string[] OfManagers = ["analytics:read", "users:read"];

    public IReadOnlyList<string> Streams => DashboardStreams.Of(Scope);

    public static DashboardSeat Of(DashboardScope scope) => scope.IsInstallation ? OfInstallation : new DashboardSeat(scope, "manager", OfManagers);
}

internal sealed class OpenDashboardHandler(DashboardAccess access) : IRequestHandler<OpenDashboardQuery, Result<DashboardSeat>>
{
    public async Task<Result<DashboardSeat>> Handle(OpenDashboardQuery request, CancellationToken cancellationToken) =>
        (await access.FindAsync(request.OrgId, cancellationToken)).Match<Result<DashboardSeat>>(scope => DashboardSeat.Of(scope), refusal => refusal);
}
