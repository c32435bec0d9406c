using System.Diagnostics;
using Vtp.Application.Tenancy;
using Vtp.Application.Tracker;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Tracker;

namespace Vtp.Application.Common;

/// <summary>
/// Decides whether the caller may run a use case, and opens the <see cref="TenantScope"/> as far as their credential
/// reaches. An organization or project that they have no part in does not exist for them: 404, never 403.
/// </summary>
internal sealed class Access(ICaller caller, TenantScope tenant, IMemberships memberships, TrackerCallers tracker)
{
    /// <summary>Whether this is a permission of the installation that the caller holds by their role or their way in: there is nothing to enter.</summary>
    public bool IsHeld(Permission permission) =>
        caller.SignedIn is { } person ? person.Role.Holds(permission) : caller.IsOperator && permission == Permission.Operate;

    public ValueTask<Refusal?> EnterAsync(Permission permission, OpenToKeysAttribute? openToKeys, object request, CancellationToken cancellationToken)
    {
        if (permission.IsOfTracker())
        {
            return tracker.EnterAsync(permission, request, cancellationToken);
        }

        if (caller.Key is { } key)
        {
            return new(EnterAsKey(key, openToKeys, request));
        }

        if (caller.SignedIn is not { } person)
        {
            return new(caller.Rejected ?? Refusal.Unauthenticated);
        }

        return permission.IsOfOrganization()
            ? new(EnterAsMemberAsync(person, permission, request, cancellationToken))
            : new(Refusal.Forbidden);
    }

    private Refusal? EnterAsKey(ProjectKey key, OpenToKeysAttribute? openToKeys, object request)
    {
        switch (request)
        {
            case IAboutProject { Project: var project } when project != key.ProjectId:
                return ProjectRefusals.NotFound;
            case IAboutOrganization { Organization: { } organization } when organization != key.OrganizationId:
                return OrganizationRefusals.NotFound;
        }

        tenant.Enter(key.OrganizationId, key.ProjectId, key.AuditRetentionDays);
        return openToKeys is null ? ApiKeyRefusals.PersonNeeded
            : !key.Scopes.Allow(openToKeys.Scope) ? ApiKeyRefusals.ScopeMissing
            : openToKeys.NeedsSecret && !key.HasSecret ? ApiKeyRefusals.SecretNeeded
            : null;
    }

    private async Task<Refusal?> EnterAsMemberAsync(SignedInAs person, Permission permission, object request, CancellationToken cancellationToken)
    {
        switch (request)
        {
            case IAboutProject { Project: var project }:
                return Enter(await memberships.FindAsync(person.AccountId, project, cancellationToken), project, ProjectRefusals.NotFound);
            case IAboutOrganization { Organization: { } organization }:
                return Enter(await memberships.FindAsync(person.AccountId, organization, cancellationToken), project: null, OrganizationRefusals.NotFound);
            case IAboutOrganization:
                var all = await memberships.OfAsync(person.AccountId, cancellationToken);
                tenant.Enter([.. all.Where(one => one.Role.Holds(permission) && (!one.IsDeleted || request is ISeesDeleted)).Select(one => one.OrganizationId)]);
                return null;
            default:
                throw new UnreachableException($"{request.GetType().Name} demands {permission} of no organization.");
        }

        Refusal? Enter(Membership? membership, ProjectId? project, Refusal notFound)
        {
            if (membership is null || (membership.IsDeleted && request is not ISeesDeleted))
            {
                return notFound;
            }

            tenant.Enter(membership.OrganizationId, project, membership.AuditRetentionDays, membership.Role);
            return membership.Role.Holds(permission) ? null : Refusal.Forbidden;
        }
    }
}
