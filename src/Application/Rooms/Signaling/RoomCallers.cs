using Vtp.Application.Common;
using Vtp.Application.Tenancy;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Rooms.Signaling;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Rooms.Signaling;

/// <param name="Organization">Whose rooms they mean.</param>
/// <param name="Id">Of the account or API key.</param>
/// <param name="IsStaff">Teaches or administers there: a host of every room.</param>
/// <param name="Role">As others are shown it: the account's, or <c>service</c> for a program.</param>
internal sealed record RoomCaller(OrganizationId Organization, Guid Id, bool IsStaff, string Role)
{
    public const string Program = "service";

    public bool IsProgram => Role == Program;

    public bool IsHostOf(LiveRoom room) => IsStaff || room.CreatedBy == Id;
}

/// <summary>
/// Whose rooms a caller means, and what they are there. A person's are those of the organization that they name and belong to, or
/// of their only one; of who belongs to none they are the installation's own.
/// </summary>
internal sealed class RoomCallers(ICaller caller, IMemberships memberships, TenantScope scope)
{
    public async Task<Result<RoomCaller>> FindAsync(Guid? organization, CancellationToken cancellationToken)
    {
        if (caller.Key is { } key)
        {
            return organization is { } named && named != key.OrganizationId.Value
                ? OrganizationRefusals.NotFound
                : new RoomCaller(key.OrganizationId, key.KeyId, key.HasSecret && key.Scopes.Allow(KeyScopes.RoomsWrite), RoomCaller.Program);
        }

        var person = caller.Required();
        var role = person.Role.ToString().ToLowerInvariant();
        var all = (await memberships.OfAsync(person.AccountId, cancellationToken)).Where(one => !one.IsDeleted).ToList();
        if (organization is null && all.Count == 0)
        {
            return new RoomCaller(OrganizationId.Installation, person.AccountId.Value, person.Role is not Role.Student, role);
        }

        if (organization is null && all.Count > 1)
        {
            return RoomRefusals.OrganizationNeeded;
        }

        if (all.Find(one => organization is null || one.OrganizationId.Value == organization) is not { } membership)
        {
            return OrganizationRefusals.NotFound;
        }

        scope.Enter(membership.OrganizationId, project: null, membership.AuditRetentionDays, membership.Role);
        var isStaff = person.Role is not Role.Student || membership.Role is MemberRole.Owner or MemberRole.Admin;
        return new RoomCaller(membership.OrganizationId, person.AccountId.Value, isStaff, role);
    }
}
