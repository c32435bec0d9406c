using Vtp.Application.Webhooks.Endpoints;
using Vtp.Domain.Webhooks;

namespace Vtp.Application.Webhooks.Deliveries;

/// <summary>An endpoint as its deliveries need it.</summary>
/// <param name="Secrets">Shared ones that sign now, the newest first.</param>
/// <param name="Pairs">Likewise.</param>
public sealed record WebhookTarget(
    Uri Url,
    WebhookOrdering Ordering,
    bool SignsBody,
    RetrySchedule Retries,
    IReadOnlyList<WebhookSecret> Secrets,
    IReadOnlyList<WebhookKeyPair> Pairs,
    EndpointHealth Health);

/// <param name="EventId">What receivers know it by, at every attempt.</param>
/// <param name="Body">What is sent.</param>
/// <param name="Attempts">That were made in this round.</param>
/// <param name="EarlierAttempts">Of rounds before.</param>
/// <param name="TraceParent">Where its event happened, as <see cref="Common.Pipeline.TraceContext"/> has it.</param>
public sealed record DueDelivery(Guid Id, DateTimeOffset RecordedAt, Guid EventId, string Body, int Attempts, int EarlierAttempts, string? TraceParent);

/// <param name="Next">When it is tried again; null when it is settled.</param>
public sealed record MadeAttempt(
    DueDelivery Delivery,
    DateTimeOffset At,
    IReadOnlyList<KeyValuePair<string, string>> Headers,
    WebhookAnswer Answer,
    DeliveryState State,
    DateTimeOffset? Next);

/// <summary>Deliveries that wait, by endpoint. One node works on one endpoint at a time; what it says joins the transaction that is open.</summary>
public interface IWebhookQueue
{
    /// <returns>Null when nothing is to be sent to it: it is gone, off or disabled, or its project is deleted.</returns>
    Task<WebhookTarget?> OpenAsync(Guid endpoint, CancellationToken cancellationToken);

    /// <summary>Deletes what waits for an endpoint that is gone: of events that were being handed out while it was removed.</summary>
    Task ForgetRemovedAsync(Guid endpoint, CancellationToken cancellationToken);

    Task<IReadOnlyList<DueDelivery>> TakeAsync(Guid endpoint, WebhookOrdering ordering, int limit, CancellationToken cancellationToken);

    /// <summary>Writes down what was tried and what came of it; but what is no longer waiting has been settled by somebody else.</summary>
    Task SettleAsync(Guid endpoint, Uri url, IReadOnlyList<MadeAttempt> attempts, EndpointHealth health, CancellationToken cancellationToken);

    /// <returns>When the next one that waits is due, of those due after this moment; null when none waits.</returns>
    Task<DateTimeOffset?> NextDueAsync(Guid endpoint, DateTimeOffset after, CancellationToken cancellationToken);

    /// <returns>How many are sent again, and the time of the last one's event.</returns>
    Task<(int Queued, DateTimeOffset? Through)> ReplayAsync(
        Guid endpoint,
        DateTimeOffset first,
        DateTimeOffset before,
        IReadOnlyList<string> patterns,
        ReplayedDeliveries which,
        int limit,
        DateTimeOffset now,
        CancellationToken cancellationToken);
}
