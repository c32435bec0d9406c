using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tenancy.Exports;

/// <summary>Exports of the project, newest first.</summary>
[Requires(Permission.ManageProjects)]
public sealed record ListProjectExportsQuery(Guid Id) : IQuery<ExportList>, IAboutProject
{
    ProjectId IAboutProject.Project => new(Id);
}

internal sealed class ListProjectExportsHandler(ExportDesk exports) : IRequestHandler<ListProjectExportsQuery, Result<ExportList>>
{
    public async Task<Result<ExportList>> Handle(ListProjectExportsQuery request, CancellationToken cancellationToken) =>
        await exports.ListAsync(new ProjectId(request.Id), cancellationToken);
}
