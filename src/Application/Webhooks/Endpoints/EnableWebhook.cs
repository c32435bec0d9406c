using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Webhooks;

namespace Vtp.Application.Webhooks.Endpoints;

/// <summary>Events are sent again from now on; what happened meanwhile is sent by a replay. Not twice within five minutes.</summary>
[Requires(Permission.ManageWebhooks)]
[OpenToKeys(KeyScopes.WebhooksWrite, NeedsSecret = true)]
[Audited(AuditActions.WebhookEnabled)]
public sealed record EnableWebhookCommand(Guid Id, Guid WebhookId) : ICommand<WebhookView>, IAboutProject
{
    ProjectId IAboutProject.Project => new(Id);
}

internal sealed class EnableWebhookHandler(IVtpDb db, AuditSubject audit, TimeProvider clock) : IRequestHandler<EnableWebhookCommand, Result<WebhookView>>
{
    public async Task<Result<WebhookView>> Handle(EnableWebhookCommand request, CancellationToken cancellationToken)
    {
        var (project, now) = (new ProjectId(request.Id), clock.GetUtcNow());
        await db.BeginAsync(cancellationToken);
        var endpoint = await db.WebhookEndpoints.SingleOrDefaultAsync(one => one.ProjectId == project && one.Id == request.WebhookId, cancellationToken);
        if (endpoint is null)
        {
            return WebhookRefusals.NotFound;
        }

        (audit.TargetId, audit.TargetName) = (endpoint.Id, endpoint.Url);
        var health = await db.WebhookHealths.ForUpdate().SingleAsync(one => one.EndpointId == endpoint.Id, cancellationToken);
        if (health.Enable(now) is { } refusal)
        {
            return refusal;
        }

        endpoint.Enable(now);
        db.Wake(endpoint.Id);
        await db.SaveChangesAsync(cancellationToken);
        return await db.ViewAsync(endpoint.Id, now, cancellationToken);
    }
}
