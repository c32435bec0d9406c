using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Webhooks.Endpoints;

/// <summary>The project's endpoints, newest first, and how each does. There are at most 50.</summary>
[Requires(Permission.ManageWebhooks)]
[OpenToKeys(KeyScopes.WebhooksRead)]
public sealed record ListWebhooksQuery(Guid Id) : IQuery<WebhookList>, IAboutProject
{
    ProjectId IAboutProject.Project => new(Id);
}

public sealed record WebhookList(IReadOnlyList<WebhookView> Data);

internal sealed class ListWebhooksHandler(IVtpDb db, TimeProvider clock) : IRequestHandler<ListWebhooksQuery, Result<WebhookList>>
{
    public async Task<Result<WebhookList>> Handle(ListWebhooksQuery request, CancellationToken cancellationToken)
    {
        var id = new ProjectId(request.Id);
        return new WebhookList(await db.WebhookEndpoints.Where(endpoint => endpoint.ProjectId == id)
            .OrderByDescending(endpoint => endpoint.Id)
            .AsViewsAsync(db, clock.GetUtcNow(), cancellationToken));
    }
}
