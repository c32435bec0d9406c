using System.Text.Json;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Webhooks;

namespace Vtp.Application.Webhooks.Deliveries;

/// <summary>One delivery with each of its attempts: what was sent and what came back.</summary>
[Requires(Permission.ManageWebhooks)]
[OpenToKeys(KeyScopes.WebhooksRead)]
public sealed record GetDeliveryQuery(Guid DeliveryId) : IQuery<DeliveryDetails>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => null;
}

internal sealed class GetDeliveryHandler(IVtpDb db) : IRequestHandler<GetDeliveryQuery, Result<DeliveryDetails>>
{
    public async Task<Result<DeliveryDetails>> Handle(GetDeliveryQuery request, CancellationToken cancellationToken)
    {
        var found = await db.WebhookDeliveries.AsNoTracking().Where(delivery => delivery.Id == request.DeliveryId)
            .Select(delivery => new { Delivery = delivery, Endpoint = db.WebhookEndpoints.SingleOrDefault(endpoint => endpoint.Id == delivery.EndpointId) })
            .SingleOrDefaultAsync(cancellationToken);
        if (found is null)
        {
            return WebhookRefusals.DeliveryNotFound;
        }

        var attempts = await db.WebhookAttempts.AsNoTracking().Where(attempt => attempt.DeliveryId == request.DeliveryId)
            .OrderBy(attempt => attempt.Number).ToListAsync(cancellationToken);
        return new DeliveryDetails(
            DeliveryView.Of(found.Delivery, found.Endpoint),
            JsonElement.Parse(found.Delivery.Body),
            [.. attempts.Select(attempt => new AttemptView(
                attempt.Number,
                attempt.AttemptedAt,
                attempt.Url,
                JsonElement.Parse(attempt.RequestHeaders),
                found.Delivery.Body,
                attempt.Outcome,
                attempt.Status,
                attempt.ResponseBody,
                attempt.IsTruncated,
                attempt.Error,
                attempt.DurationMs))]);
    }
}
