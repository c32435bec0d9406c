using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Webhooks;

namespace Vtp.Application.Webhooks.Endpoints;

/// <summary>One endpoint, with the secrets that sign now: of shared ones only that they are there.</summary>
[Requires(Permission.ManageWebhooks)]
[OpenToKeys(KeyScopes.WebhooksRead)]
public sealed record GetWebhookQuery(Guid Id, Guid WebhookId) : IQuery<WebhookDetails>, IAboutProject
{
    ProjectId IAboutProject.Project => new(Id);
}

internal sealed class GetWebhookHandler(IVtpDb db, IEd25519 ed25519, TimeProvider clock) : IRequestHandler<GetWebhookQuery, Result<WebhookDetails>>
{
    public async Task<Result<WebhookDetails>> Handle(GetWebhookQuery request, CancellationToken cancellationToken)
    {
        var (project, now) = (new ProjectId(request.Id), clock.GetUtcNow());
        var found = await db.WebhookEndpoints.Where(endpoint => endpoint.ProjectId == project && endpoint.Id == request.WebhookId)
            .AsViewsAsync(db, now, cancellationToken);
        if (found is not [var view])
        {
            return WebhookRefusals.NotFound;
        }

        var secrets = await db.WebhookSecrets.AsNoTracking()
            .Where(secret => secret.EndpointId == view.Id && (secret.ExpiresAt == null || secret.ExpiresAt > now))
            .OrderByDescending(secret => secret.Id).ToListAsync(cancellationToken);
        return new WebhookDetails(view, [.. secrets.Select(secret => WebhookQueries.View(secret, ed25519))]);
    }
}
