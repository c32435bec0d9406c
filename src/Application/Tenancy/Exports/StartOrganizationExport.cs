using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Exports;

/// <summary>Makes the archive of an organization in the background. At most three exports of an organization are ready or not finished; each is kept for seven days. Who asks for it is mailed when it is ready.</summary>
[Requires(Permission.ManageOrganization)]
[RequestCost(10)]
[Audited(AuditActions.OrganizationExportStarted)]
[Idempotent]
public sealed record StartOrganizationExportCommand(Guid Id) : ICommand<ExportView>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => new(Id);
}

internal sealed class StartOrganizationExportHandler(ExportDesk exports) : IRequestHandler<StartOrganizationExportCommand, Result<ExportView>>
{
    public Task<Result<ExportView>> Handle(StartOrganizationExportCommand request, CancellationToken cancellationToken) =>
        exports.StartAsync(project: null, cancellationToken);
}
