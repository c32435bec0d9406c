using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Archives;

/// <summary>
/// The whole organization as a ZIP: its people, invitations, projects, keys and trail as they are at one moment. Without
/// passwords and second factors.
/// </summary>
[Requires(Permission.ManageOrganization)]
[RequestCost(10)]
[Audited(AuditActions.OrganizationExported)]
public sealed record ExportOrganizationQuery(Guid Id) : IQuery<Archive>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => new(Id);
}

internal sealed class ExportOrganizationHandler(IArchiveExporter archives, AuditSubject audit) : IRequestHandler<ExportOrganizationQuery, Result<Archive>>
{
    public async Task<Result<Archive>> Handle(ExportOrganizationQuery request, CancellationToken cancellationToken)
    {
        var archive = await archives.OpenAsync(new OrganizationId(request.Id), cancellationToken);
        (audit.TargetId, audit.TargetName) = (request.Id, archive.Name);
        return archive;
    }
}
