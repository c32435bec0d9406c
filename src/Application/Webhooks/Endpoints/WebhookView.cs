using System.Text;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Webhooks;

namespace Vtp.Application.Webhooks.Endpoints;

public enum WebhookStatus
{
    Active,

    /// <summary>It has failed so much that deliveries wait; one at a time is tried.</summary>
    Paused,

    /// <summary>VTP has stopped sending; nothing is kept for it until somebody enables it.</summary>
    Disabled,

    /// <summary>Its owners have switched it off.</summary>
    Off,
}

/// <param name="EventTypes">Types, or beginnings of them; none means all.</param>
/// <param name="Signature"><c>v1</c>: HMAC-SHA256 with a shared secret; <c>v1a</c>: ed25519. Both as Standard Webhooks has them.</param>
/// <param name="SignsBody">Also sends <c>X-Webhook-Signature: sha256=</c> over the body alone.</param>
/// <param name="RetrySeconds">Waits before the second attempt, the third and so on.</param>
/// <param name="FailingSince">Since when it has only failed.</param>
/// <param name="PausedUntil">When the next delivery tries whether it works again.</param>
/// <param name="Pending">Deliveries that wait.</param>
/// <param name="SuccessRate">Of the last 24 hours' attempts, 0 to 1; null without any.</param>
/// <param name="IsOfProject">It is what the project's <c>webhook_url</c> stands for.</param>
public sealed record WebhookView(
    Guid Id,
    Guid ProjectId,
    string Url,
    string? Description,
    IReadOnlyList<string> EventTypes,
    WebhookPayload Payload,
    WebhookOrdering Ordering,
    string Signature,
    bool SignsBody,
    IReadOnlyList<int> RetrySeconds,
    WebhookStatus Status,
    DisabledReason? DisabledReason,
    DateTimeOffset? FailingSince,
    DateTimeOffset? PausedUntil,
    DateTimeOffset? LastAttemptAt,
    DateTimeOffset? LastSuccessAt,
    int Pending,
    decimal? SuccessRate,
    bool IsOfProject,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt);

/// <param name="Kind">As in <c>signature</c>.</param>
/// <param name="PublicKey">What receivers verify <c>v1a</c> with; null for a shared secret, which is never shown again.</param>
/// <param name="ExpiresAt">From when on it signs nothing; null for the newest.</param>
public sealed record WebhookSecretView(Guid Id, string Kind, string? PublicKey, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt);

/// <param name="Secrets">That sign now, the newest first.</param>
public sealed record WebhookDetails(WebhookView Webhook, IReadOnlyList<WebhookSecretView> Secrets);

/// <param name="Secret">What the receiver verifies with: the shared secret, shown this once, or the public key.</param>
public sealed record WebhookIssued(WebhookView Webhook, string Secret, string Message)
{
    internal static WebhookIssued Of(WebhookView view, string secret) => new(
        view, secret, view.Signature == WebhookQueries.Shared ? "Keep the secret: it is not shown again." : "Verify with this public key.");
}

internal static class WebhookQueries
{
    public const string Shared = "v1";
    public const string KeyPair = "v1a";
    private static readonly TimeSpan Recently = TimeSpan.FromHours(24);

    /// <summary>The views of these endpoints, in their order.</summary>
    public static async Task<IReadOnlyList<WebhookView>> AsViewsAsync(
        this IQueryable<WebhookEndpoint> endpoints, IVtpDb db, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var since = now - Recently;
        var rows = await endpoints.Select(endpoint => new
        {
            Endpoint = endpoint,
            Health = db.WebhookHealths.Single(health => health.EndpointId == endpoint.Id),
            Pending = db.WebhookDeliveries.Count(delivery => delivery.EndpointId == endpoint.Id && delivery.State == DeliveryState.Pending),
            Attempts = db.WebhookAttempts.Count(attempt => attempt.EndpointId == endpoint.Id && attempt.AttemptedAt >= since),
            Successes = db.WebhookAttempts.Count(
                attempt => attempt.EndpointId == endpoint.Id && attempt.AttemptedAt >= since && attempt.Status >= 200 && attempt.Status < 300),
        }).AsNoTracking().ToListAsync(cancellationToken);
        return [.. rows.Select(row => View(row.Endpoint, row.Health, row.Pending, row.Attempts == 0 ? null : Math.Round((decimal)row.Successes / row.Attempts, 4)))];
    }

    public static async Task<WebhookView> ViewAsync(this IVtpDb db, Guid endpoint, DateTimeOffset now, CancellationToken cancellationToken) =>
        (await db.WebhookEndpoints.Where(one => one.Id == endpoint).AsViewsAsync(db, now, cancellationToken))[0];

    public static WebhookSecretView View(WebhookSigningSecret secret, IEd25519 ed25519) => new(
        secret.Id,
        secret.Kind == WebhookSecretKind.Shared ? Shared : KeyPair,
        secret.Kind == WebhookSecretKind.KeyPair && WebhookKeyPair.TryParse(Encoding.ASCII.GetString(secret.Secret), ed25519, out var pair) ? pair.PublicText : null,
        secret.CreatedAt,
        secret.ExpiresAt);

    public static WebhookStatus StatusOf(WebhookEndpoint endpoint, EndpointHealth state) =>
        !endpoint.IsEnabled ? WebhookStatus.Off
        : state.DisabledAt is not null ? WebhookStatus.Disabled
        : state.State == BreakerState.Closed ? WebhookStatus.Active
        : WebhookStatus.Paused;

    private static WebhookView View(WebhookEndpoint endpoint, WebhookHealth health, int pending, decimal? successRate)
    {
        var state = health.State;
        return new WebhookView(
            endpoint.Id,
            endpoint.ProjectId.Value,
            endpoint.Url,
            endpoint.Description,
            endpoint.EventTypes,
            endpoint.Payload,
            endpoint.Ordering,
            endpoint.SignsAsymmetrically ? KeyPair : Shared,
            endpoint.SignsBody,
            endpoint.Retries.Seconds,
            StatusOf(endpoint, state),
            state.DisabledReason,
            state.FirstFailedAt,
            state.AskAgainAt,
            health.LastAttemptAt,
            health.LastSuccessAt,
            pending,
            successRate,
            endpoint.IsOfProject,
            endpoint.CreatedAt,
            endpoint.UpdatedAt);
    }
}
