using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Organizations;

/// <summary>Undoes a deletion of the last 30 days: members, projects and keys are as they were.</summary>
[Requires(Permission.DeleteOrganization)]
[Audited(AuditActions.OrganizationRestored)]
public sealed record RestoreOrganizationCommand(Guid Id) : ICommand<OrganizationView>, IAboutOrganization, ISeesDeleted, IInvalidates
{
    OrganizationId? IAboutOrganization.Organization => new(Id);

    IReadOnlyCollection<CacheTag> IInvalidates.InvalidatedIn(TenantScope tenant) => OrganizationCacheTags.Of(Id);
}

internal sealed class RestoreOrganizationHandler(IVtpDb db, TenantScope tenant, ICaller caller, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<RestoreOrganizationCommand, Result<OrganizationView>>
{
    public async Task<Result<OrganizationView>> Handle(RestoreOrganizationCommand request, CancellationToken cancellationToken)
    {
        var id = new OrganizationId(request.Id);
        var organization = await db.Organizations.WithDeleted().SingleAsync(organization => organization.Id == id, cancellationToken);
        (audit.TargetId, audit.TargetName) = (request.Id, organization.Name);
        if (organization.Restore(clock.GetUtcNow()) is { } refusal)
        {
            return refusal;
        }

        var isTaken = await db.IsAdminEmailTakenAsync(tenant, organization.AdminEmail, cancellationToken);
        tenant.Enter(id, project: null, organization.AuditRetentionDays);
        if (isTaken)
        {
            return OrganizationRefusals.AddressTaken;
        }

        await db.SaveChangesAsync(cancellationToken);
        return await db.Organizations.AsNoTracking().Where(one => one.Id == id).AsViews(db, caller.Required().AccountId).SingleAsync(cancellationToken);
    }
}
