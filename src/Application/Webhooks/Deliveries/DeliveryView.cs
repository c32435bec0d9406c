using System.Text.Json;
using Vtp.Domain.Webhooks;

namespace Vtp.Application.Webhooks.Deliveries;

public enum DeliveryStatus
{
    Pending,

    /// <summary>It failed, and is tried again at <c>next_retry_at</c>.</summary>
    Retrying,

    Delivered,
    Failed,
}

/// <param name="EventId">The <c>webhook-id</c> of every attempt.</param>
/// <param name="Attempts">All that were made.</param>
/// <param name="MaxAttempts">In one round; a retry by hand begins another.</param>
/// <param name="ResponseStatus">Of the last attempt; null when there was no answer.</param>
/// <param name="Error">Why the last attempt failed.</param>
public sealed record DeliveryView(
    Guid Id,
    Guid WebhookId,
    Guid ProjectId,
    Guid EventId,
    string EventType,
    string? WebhookUrl,
    DeliveryStatus Status,
    int Attempts,
    int MaxAttempts,
    int? ResponseStatus,
    string? Error,
    DateTimeOffset? NextRetryAt,
    DateTimeOffset? LastAttemptAt,
    DateTimeOffset CreatedAt,
    DateTimeOffset? SettledAt)
{
    internal static DeliveryView Of(WebhookDelivery delivery, WebhookEndpoint? endpoint) => new(
        delivery.Id,
        delivery.EndpointId,
        delivery.ProjectId.Value,
        delivery.EventId,
        delivery.EventType,
        endpoint?.Url,
        delivery.State switch
        {
            DeliveryState.Delivered => DeliveryStatus.Delivered,
            DeliveryState.Failed => DeliveryStatus.Failed,
            _ => delivery.Attempts > 0 ? DeliveryStatus.Retrying : DeliveryStatus.Pending,
        },
        delivery.EarlierAttempts + delivery.Attempts,
        (endpoint?.Retries ?? RetrySchedule.Standard).Attempts,
        delivery.LastStatus,
        delivery.LastError,
        delivery.NextAttemptAt,
        delivery.LastAttemptAt,
        delivery.CreatedAt,
        delivery.SettledAt);
}

/// <param name="Payload">The body that is sent, as JSON.</param>
/// <param name="Log">Each attempt, oldest first.</param>
public sealed record DeliveryDetails(DeliveryView Delivery, JsonElement Payload, IReadOnlyList<AttemptView> Log);

/// <param name="Number">From 1.</param>
/// <param name="RequestHeaders">As they were sent; the signature is worth nothing for another body or time.</param>
/// <param name="RequestBody">The exact bytes, as text.</param>
/// <param name="Outcome"><c>answered</c>, or why there was no answer.</param>
/// <param name="ResponseBody">The first 16 KiB.</param>
/// <param name="IsTruncated">Whether there was more.</param>
public sealed record AttemptView(
    int Number,
    DateTimeOffset AttemptedAt,
    string Url,
    JsonElement RequestHeaders,
    string RequestBody,
    string Outcome,
    int? Status,
    string? ResponseBody,
    bool IsTruncated,
    string? Error,
    int DurationMs);
