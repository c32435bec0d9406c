using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Webhooks;

namespace Vtp.Application.Webhooks.Deliveries;

/// <summary>How deliveries went, newest first; kept for 30 days. All filters that are sent must fit.</summary>
/// <param name="OrgId">One organization; all of the caller's when absent.</param>
/// <param name="WebhookId">One endpoint.</param>
/// <param name="EventId">One event, by the id that it has everywhere.</param>
/// <param name="Cursor">From the answer before.</param>
/// <param name="Limit">1 to 100; 20 when absent.</param>
[Requires(Permission.ManageWebhooks)]
[OpenToKeys(KeyScopes.WebhooksRead)]
public sealed record ListDeliveriesQuery(
    Guid? OrgId, Guid? ProjectId, Guid? WebhookId, Guid? EventId, string? EventType, DeliveryStatus? Status, string? Cursor, int? Limit)
    : IQuery<CursorPage<DeliveryView>>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => OrgId is { } id ? new(id) : null;
}

internal sealed class ListDeliveriesHandler(IVtpDb db) : IRequestHandler<ListDeliveriesQuery, Result<CursorPage<DeliveryView>>>
{
    private static readonly Refusal CursorInvalid =
        Refusal.Field("cursor", "request.cursor_invalid", "This cursor did not come from this list.");

    public async Task<Result<CursorPage<DeliveryView>>> Handle(ListDeliveriesQuery request, CancellationToken cancellationToken)
    {
        var deliveries = Filtered(request);
        if (request.Cursor is { } cursor)
        {
            if (!TimeCursor.TryRead(cursor, out var last))
            {
                return CursorInvalid;
            }

            var (at, id) = last;
            deliveries = deliveries.Where(delivery => delivery.CreatedAt < at || (delivery.CreatedAt == at && delivery.Id < id));
        }

        var limit = Paging.ClampLimit(request.Limit);
        var rows = await deliveries.OrderByDescending(delivery => delivery.CreatedAt).ThenByDescending(delivery => delivery.Id).Take(limit + 1)
            .Select(delivery => new { Delivery = delivery, Endpoint = db.WebhookEndpoints.SingleOrDefault(endpoint => endpoint.Id == delivery.EndpointId) })
            .AsNoTracking().ToListAsync(cancellationToken);
        return new CursorPage<DeliveryView>(
            [.. rows.Take(limit).Select(row => DeliveryView.Of(row.Delivery, row.Endpoint))],
            rows.Count > limit ? TimeCursor.After(rows[limit - 1].Delivery.CreatedAt, rows[limit - 1].Delivery.Id) : null);
    }

    private IQueryable<WebhookDelivery> Filtered(ListDeliveriesQuery request)
    {
        var deliveries = db.WebhookDeliveries.AsQueryable();
        if (request.ProjectId is { } project)
        {
            var id = new ProjectId(project);
            deliveries = deliveries.Where(delivery => delivery.ProjectId == id);
        }

        deliveries = request.WebhookId is { } webhook ? deliveries.Where(delivery => delivery.EndpointId == webhook) : deliveries;
        deliveries = request.EventId is { } happened ? deliveries.Where(delivery => delivery.EventId == happened) : deliveries;
        deliveries = string.IsNullOrEmpty(request.EventType) ? deliveries : deliveries.Where(delivery => delivery.EventType == request.EventType);
        return request.Status switch
        {
            DeliveryStatus.Pending => deliveries.Where(delivery => delivery.State == DeliveryState.Pending && delivery.Attempts == 0),
            DeliveryStatus.Retrying => deliveries.Where(delivery => delivery.State == DeliveryState.Pending && delivery.Attempts > 0),
            DeliveryStatus.Delivered => deliveries.Where(delivery => delivery.State == DeliveryState.Delivered),
            DeliveryStatus.Failed => deliveries.Where(delivery => delivery.State == DeliveryState.Failed),
            _ => deliveries,
        };
    }
}
