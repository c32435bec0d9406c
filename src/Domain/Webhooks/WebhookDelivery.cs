using Vtp.Domain.Tenancy;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Domain.Webhooks;

public enum DeliveryState
{
    Pending,
    Delivered,
    Failed,
}

/// <summary>One event on its way to one endpoint. Written by the log's consumer and by the sender, many at a time.</summary>
public sealed class WebhookDelivery : IOfProject
{
    private WebhookDelivery()
    {
    }

    public Guid Id { get; private set; }

    public Guid EndpointId { get; private set; }

    public OrganizationId OrganizationId { get; private set; }

    public ProjectId ProjectId { get; private set; }

    public Guid EventId { get; private set; }

    public string EventType { get; private set; } = "";

    public string Subject { get; private set; } = "";

    public long Position { get; private set; }

    public string Body { get; private set; } = "";

    public DeliveryState State { get; private set; }

    /// <summary>Of this round; a retry by hand begins another one.</summary>
    public int Attempts { get; private set; }

    public int EarlierAttempts { get; private set; }

    public DateTimeOffset? NextAttemptAt { get; private set; }

    public DateTimeOffset? LastAttemptAt { get; private set; }

    public int? LastStatus { get; private set; }

    public string? LastError { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public DateTimeOffset? SettledAt { get; private set; }

    /// <summary>Decides its partition.</summary>
    public DateTimeOffset RecordedAt { get; private set; }

    /// <summary>Once more, at once, under the same id; with as many attempts as at first.</summary>
    public void Retry(DateTimeOffset now)
    {
        (EarlierAttempts, Attempts) = (EarlierAttempts + Attempts, 0);
        (State, NextAttemptAt, SettledAt) = (DeliveryState.Pending, now, null);
    }
}

/// <summary>One attempt: what was sent and what came back.</summary>
public sealed class WebhookAttempt : IOfProject
{
    private WebhookAttempt()
    {
    }

    public Guid Id { get; private set; }

    public Guid DeliveryId { get; private set; }

    public Guid EndpointId { get; private set; }

    public OrganizationId OrganizationId { get; private set; }

    public ProjectId ProjectId { get; private set; }

    public int Number { get; private set; }

    public string Url { get; private set; } = "";

    /// <summary>JSON: each header by its name.</summary>
    public string RequestHeaders { get; private set; } = "";

    public string Outcome { get; private set; } = "";

    public int? Status { get; private set; }

    public string? ResponseBody { get; private set; }

    public bool IsTruncated { get; private set; }

    public string? Error { get; private set; }

    public int DurationMs { get; private set; }

    public DateTimeOffset AttemptedAt { get; private set; }

    public DateTimeOffset RecordedAt { get; private set; }
}
