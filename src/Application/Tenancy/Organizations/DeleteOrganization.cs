using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Application.Identity;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Organizations;

/// <summary>
/// Deletes an organization for everybody: its projects are gone, its keys end at once, its admin_email is free again. An
/// owner can bring it back within 30 days.
/// </summary>
[Requires(Permission.DeleteOrganization)]
[Audited(AuditActions.OrganizationDeleted)]
public sealed record DeleteOrganizationCommand(Guid Id) : ICommand<Message>, IAboutOrganization, IInvalidates
{
    OrganizationId? IAboutOrganization.Organization => new(Id);

    IReadOnlyCollection<CacheTag> IInvalidates.InvalidatedIn(TenantScope tenant) => OrganizationCacheTags.Of(Id);
}

internal sealed class DeleteOrganizationHandler(IVtpDb db, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<DeleteOrganizationCommand, Result<Message>>
{
    public async Task<Result<Message>> Handle(DeleteOrganizationCommand request, CancellationToken cancellationToken)
    {
        var id = new OrganizationId(request.Id);
        var organization = await db.Organizations.SingleAsync(organization => organization.Id == id, cancellationToken);
        (audit.TargetId, audit.TargetName) = (request.Id, organization.Name);
        organization.Delete(clock.GetUtcNow());
        await db.SaveChangesAsync(cancellationToken);
        return new Message("Organization deleted. An owner can restore it within 30 days.");
    }
}
