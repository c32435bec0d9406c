using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Exports;

/// <summary>How far an export is.</summary>
[Requires(Permission.ManageOrganization)]
public sealed record GetOrganizationExportQuery(Guid Id, Guid ExportId) : IQuery<ExportView>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => new(Id);
}

internal sealed class GetOrganizationExportHandler(ExportDesk exports) : IRequestHandler<GetOrganizationExportQuery, Result<ExportView>>
{
    public Task<Result<ExportView>> Handle(GetOrganizationExportQuery request, CancellationToken cancellationToken) =>
        exports.GetAsync(project: null, request.ExportId, cancellationToken);
}
