using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Webhooks;

namespace Vtp.Application.Webhooks.Endpoints;

/// <summary>Sends this endpoint, whatever types it has chosen, an event of type <c>webhook.test</c>. How it went stands in the log of deliveries.</summary>
[Requires(Permission.ManageWebhooks)]
[OpenToKeys(KeyScopes.WebhooksWrite, NeedsSecret = true)]
[RateLimited(RateLimitPolicies.WebhookTest)]
[Audited(AuditActions.WebhookTested)]
public sealed record TestWebhookCommand(Guid Id, Guid WebhookId) : ICommand<Message>, IAboutProject
{
    ProjectId IAboutProject.Project => new(Id);
}

internal sealed class TestWebhookHandler(IVtpDb db, AuditSubject audit) : IRequestHandler<TestWebhookCommand, Result<Message>>
{
    public async Task<Result<Message>> Handle(TestWebhookCommand request, CancellationToken cancellationToken)
    {
        var project = new ProjectId(request.Id);
        var endpoint = await db.WebhookEndpoints.SingleOrDefaultAsync(one => one.ProjectId == project && one.Id == request.WebhookId, cancellationToken);
        if (endpoint is null)
        {
            return WebhookRefusals.NotFound;
        }

        (audit.TargetId, audit.TargetName) = (endpoint.Id, endpoint.Url);
        if (!endpoint.IsEnabled || await db.WebhookHealths.AnyAsync(health => health.EndpointId == endpoint.Id && health.DisabledAt != null, cancellationToken))
        {
            return WebhookRefusals.NotSentTo;
        }

        endpoint.Test();
        await db.SaveChangesAsync(cancellationToken);
        return new Message("The test is on its way: see the log of deliveries.");
    }
}
