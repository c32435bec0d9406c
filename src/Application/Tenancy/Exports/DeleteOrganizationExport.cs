using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Exports;

/// <summary>Removes an export before its time, unless it is just being made.</summary>
[Requires(Permission.ManageOrganization)]
[Audited(AuditActions.OrganizationExportDeleted)]
public sealed record DeleteOrganizationExportCommand(Guid Id, Guid ExportId) : ICommand<Done>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => new(Id);
}

internal sealed class DeleteOrganizationExportHandler(ExportDesk exports) : IRequestHandler<DeleteOrganizationExportCommand, Result<Done>>
{
    public Task<Result<Done>> Handle(DeleteOrganizationExportCommand request, CancellationToken cancellationToken) =>
        exports.DeleteAsync(project: null, request.ExportId, cancellationToken);
}
