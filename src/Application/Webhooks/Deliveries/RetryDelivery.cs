using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Application.Webhooks.Endpoints;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Webhooks;

namespace Vtp.Application.Webhooks.Deliveries;

/// <summary>Sends one delivery again, under the same id, whatever became of it.</summary>
[Requires(Permission.ManageWebhooks)]
[OpenToKeys(KeyScopes.WebhooksWrite, NeedsSecret = true)]
[RateLimited(RateLimitPolicies.WebhookReplay)]
[Audited(AuditActions.WebhookDeliveryRetried)]
public sealed record RetryDeliveryCommand(Guid DeliveryId) : ICommand<Message>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => null;
}

internal sealed class RetryDeliveryHandler(IVtpDb db, TenantScope tenant, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<RetryDeliveryCommand, Result<Message>>
{
    public async Task<Result<Message>> Handle(RetryDeliveryCommand request, CancellationToken cancellationToken)
    {
        var delivery = await db.WebhookDeliveries.SingleOrDefaultAsync(delivery => delivery.Id == request.DeliveryId, cancellationToken);
        if (delivery is null)
        {
            return WebhookRefusals.DeliveryNotFound;
        }

        var days = await db.Organizations.Where(one => one.Id == delivery.OrganizationId).Select(one => one.AuditRetentionDays).SingleAsync(cancellationToken);
        tenant.Enter(delivery.OrganizationId, delivery.ProjectId, days);
        audit.TargetId = delivery.EndpointId;
        if (!await db.WebhookEndpoints.AnyAsync(
            endpoint => endpoint.Id == delivery.EndpointId && endpoint.IsEnabled
                && db.WebhookHealths.Any(health => health.EndpointId == endpoint.Id && health.DisabledAt == null),
            cancellationToken))
        {
            return WebhookRefusals.NotSentTo;
        }

        delivery.Retry(clock.GetUtcNow());
        db.Wake(delivery.EndpointId);
        await db.SaveChangesAsync(cancellationToken);
        return new Message("The delivery is on its way.");
    }
}
