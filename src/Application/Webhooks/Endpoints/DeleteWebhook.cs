using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Application.Tenancy.Projects;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Webhooks;

namespace Vtp.Application.Webhooks.Endpoints;

/// <summary>Removes an endpoint, its secrets and what waits for it.</summary>
[Requires(Permission.ManageWebhooks)]
[OpenToKeys(KeyScopes.WebhooksWrite, NeedsSecret = true)]
[Audited(AuditActions.WebhookDeleted)]
public sealed record DeleteWebhookCommand(Guid Id, Guid WebhookId) : ICommand<Done>, IAboutProject, IInvalidates
{
    ProjectId IAboutProject.Project => new(Id);

    IReadOnlyCollection<CacheTag> IInvalidates.InvalidatedIn(TenantScope tenant) => ProjectCacheTags.Showing(tenant, Id);
}

internal sealed class DeleteWebhookHandler(IVtpDb db, AuditSubject audit, TimeProvider clock) : IRequestHandler<DeleteWebhookCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(DeleteWebhookCommand request, CancellationToken cancellationToken)
    {
        var project = new ProjectId(request.Id);
        await db.BeginAsync(cancellationToken);
        var endpoint = await db.WebhookEndpoints.SingleOrDefaultAsync(one => one.ProjectId == project && one.Id == request.WebhookId, cancellationToken);
        if (endpoint is null)
        {
            return WebhookRefusals.NotFound;
        }

        (audit.TargetId, audit.TargetName) = (endpoint.Id, endpoint.Url);
        await db.TellProjectAsync(endpoint, url: null, clock.GetUtcNow(), cancellationToken);
        await db.RemoveAsync(endpoint, cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        return Done.Value;
    }
}
