using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Exports;

/// <summary>Exports of the organization and of its projects, newest first.</summary>
[Requires(Permission.ManageOrganization)]
public sealed record ListOrganizationExportsQuery(Guid Id) : IQuery<ExportList>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => new(Id);
}

internal sealed class ListOrganizationExportsHandler(ExportDesk exports) : IRequestHandler<ListOrganizationExportsQuery, Result<ExportList>>
{
    public async Task<Result<ExportList>> Handle(ListOrganizationExportsQuery request, CancellationToken cancellationToken) =>
        await exports.ListAsync(project: null, cancellationToken);
}
