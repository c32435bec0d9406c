using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tenancy.ApiKeys;

/// <summary>The project's keys, newest first, those that have ended included.</summary>
/// <param name="Limit">1 to 100; 20 when absent.</param>
[Requires(Permission.ManageApiKeys)]
[OpenToKeys(KeyScopes.KeysRead)]
public sealed record ListApiKeysQuery(Guid Id, int? Page, int? Limit) : IQuery<Page<ApiKeyView>>, IAboutProject
{
    ProjectId IAboutProject.Project => new(Id);
}

internal sealed class ListApiKeysHandler(IVtpDb db) : IRequestHandler<ListApiKeysQuery, Result<Page<ApiKeyView>>>
{
    public async Task<Result<Page<ApiKeyView>>> Handle(ListApiKeysQuery request, CancellationToken cancellationToken)
    {
        var id = new ProjectId(request.Id);
        return await db.ApiKeys.AsNoTracking().Where(key => key.ProjectId == id)
            .OrderByDescending(key => key.Id)
            .AsViews(db)
            .ToPageAsync(request.Page, request.Limit, cancellationToken);
    }
}
